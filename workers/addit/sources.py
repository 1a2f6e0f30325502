"""A source's noisy latents at every step: generated, noised, or inverted. All give the same `SourcePath`.

All go on from what the source's memory already knows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor

from workers.addit.backbones.conditioning import Conditioning
from workers.addit.forward import Branches
from workers.addit.latents import add_noise
from workers.addit.source_memory import SourceMemory, StepMemory
from workers.addit.transfers import move

LayersAt = Callable[[int], frozenset[str]]
"""Layers that are lent to the target at a step; empty where none are."""
Tick = Callable[[], None]
"""Called after every forward: progress goes out, a cancellation comes in by raising."""


@dataclass(frozen=True)
class SourcePath:
    """A source along the schedule.

    x0: (1, L, C), what structure transfer starts from
    latents: noisy latents (1, L, C) by step; index `len(sigmas) - 1` is the clean end
    cond: the source branch's conditioning
    memory: keys, values and velocities already met on the way
    true_velocity: (1, L, C), noise minus x0 where both are known: what a model at home in this picture
    predicts
    euler: whether the source's own Euler step leads exactly from one of its latents to the next
    """

    x0: Tensor
    latents: Callable[[int], Tensor]
    cond: Conditioning
    memory: SourceMemory
    true_velocity: Tensor | None = None
    euler: bool = False


@dataclass(frozen=True)
class SourceRun:
    """What the passes of one source share: transformer, schedule, and where their results are kept."""

    branches: Branches
    sigmas: Sequence[float]
    cond: Conditioning
    memory: SourceMemory
    layers_at: LayersAt
    tick: Tick

    @property
    def clean(self) -> int:
        """The step index of the clean end."""
        return len(self.sigmas) - 1

    def known(self, step: int) -> Tensor:
        """The path's latents (1, L, C) at a step, on the model's device."""
        return move(self.memory.path[step], self.memory.store.device)

    def note(self, step: int, latents: Tensor) -> None:
        """Add latents to the path."""
        self.memory.path[step] = move(latents, self.memory.store.host)

    def velocity(self, latents: Tensor, sigma: float, step: int | None) -> Tensor:
        """The source's velocity; `step`, where the latents are the path's, says what is lent on the way.

        Asked before: keys and values that cannot be kept are never copied (2.9 GB a step of FLUX at 1024 x
        1024). The velocity alone nearly always can.
        """
        lend = self.layers_at(step) if step is not None and step < self.clean else frozenset[str]()
        fits = self.memory.can_hold(self.branches.lent_bytes(latents, lend))
        passed = self.branches.source(latents, sigma, self.cond, lend if fits else frozenset(), velocity=True)
        if step is not None and step < self.clean:
            self.memory.keep(step, passed)
        self.tick()
        assert passed.velocity is not None
        return passed.velocity


def noised(run: SourceRun, x0: Tensor, noise: Tensor) -> SourcePath:
    """A real source in closed form: one noise for all steps, no model calls (the paper's choice)."""
    sigmas = run.sigmas
    return SourcePath(x0, lambda step: add_noise(x0, noise, sigmas[step]), run.cond, run.memory, noise - x0)


def generated(run: SourceRun, noise: Tensor) -> SourcePath:
    """A source made from noise; its passes are the edit's source branch, so what they lend is kept where it
    fits."""
    if 0 not in run.memory.path:
        run.note(0, noise)
    for step in range(len(run.memory.path) - 1, run.clean):
        latents, rise = run.known(step), run.sigmas[step + 1] - run.sigmas[step]
        run.note(step + 1, latents + rise * run.velocity(latents, run.sigmas[step], step))
    return SourcePath(run.known(run.clean), run.known, run.cond, run.memory, euler=True)


Solver = Callable[[SourceRun, int], Tensor]
"""From a run whose path is known at `step + 1` to its latents (1, L, C) at `step`, one noise level up."""


def inverted(run: SourceRun, x0: Tensor, solve: Solver, first_step: int) -> SourcePath:
    """A real source by inversion, from sigma 0 upward to `first_step`; nothing above is ever needed."""
    if run.clean not in run.memory.path:
        run.note(run.clean, x0)
    for step in reversed(range(first_step, min(run.memory.path))):
        run.note(step, solve(run, step))
    return SourcePath(x0, run.known, run.cond, run.memory)


def euler(run: SourceRun, step: int) -> Tensor:
    """One evaluation a step, at the lower level: the same pass as the edit's source branch there."""
    low, rise = run.known(step + 1), run.sigmas[step] - run.sigmas[step + 1]
    return low + rise * run.velocity(low, run.sigmas[step + 1], step + 1)


def fixed_point(run: SourceRun, step: int) -> Tensor:
    """Two evaluations a step, the second at the upper level; what the first one lends is kept."""
    low, rise = run.known(step + 1), run.sigmas[step] - run.sigmas[step + 1]
    return low + rise * run.velocity(euler(run, step), run.sigmas[step], None)


def midpoint(run: SourceRun, step: int) -> Tensor:
    """Second order at one evaluation a step: the last midpoint's velocity leads to this one (FireFlow, arXiv
    2412.07517). Its passes lie between the steps, so the edit's source branch gains nothing from them."""
    low, level, rise = run.known(step + 1), run.sigmas[step + 1], run.sigmas[step] - run.sigmas[step + 1]
    carried = run.memory.carried
    carried = run.velocity(low, level, None) if carried is None else carried.to(low.device)
    velocity = run.velocity(low + rise / 2 * carried, level + rise / 2, None)
    run.memory.carried = velocity.to(run.memory.store.host)
    return low + rise * velocity


INVERSIONS: dict[str, Solver] = {"euler": euler, "midpoint": midpoint, "fixed_point": fixed_point}
EVALUATIONS = {"noising": 0, "euler": 1, "midpoint": 1, "fixed_point": 2}
"""Forwards a step; midpoint needs one more for its first step."""


def recall(path: SourcePath, step: int, layers: frozenset[str], velocity: bool) -> StepMemory | None:
    """What is remembered of a step, if it has the layers and, where asked for, the velocity."""
    known = path.memory.get(step)
    return known if known is not None and known.serves(layers, velocity) else None


def remember(path: SourcePath, step: int, passed: StepMemory) -> None:
    """Add what a pass gave to what is known of its step."""
    known = path.memory.get(step) or StepMemory()
    velocity = known.velocity if passed.velocity is None else passed.velocity
    path.memory.keep(step, StepMemory(known.lent | passed.lent, velocity))
