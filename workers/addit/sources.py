"""A source's noisy latents at every step: generated, noised, or inverted. All give the same `SourcePath`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor

from workers.addit.forward import Branches, Conditioning
from workers.addit.latents import add_noise
from workers.addit.source_memory import SourceMemory

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
    """

    x0: Tensor
    latents: Callable[[int], Tensor]
    cond: Conditioning
    memory: SourceMemory
    true_velocity: Tensor | None = None


def noised(
    x0: Tensor, noise: Tensor, sigmas: Sequence[float], cond: Conditioning, memory: SourceMemory
) -> SourcePath:
    """A real source in closed form: one noise for all steps, no model calls (the paper's choice)."""
    return SourcePath(x0, lambda step: add_noise(x0, noise, sigmas[step]), cond, memory, noise - x0)


def generated(
    branches: Branches,
    noise: Tensor,
    sigmas: Sequence[float],
    cond: Conditioning,
    memory: SourceMemory,
    layers_at: LayersAt,
    tick: Tick,
) -> SourcePath:
    """A source made from noise; its passes are the edit's source branch, so what they lend is kept where it
    fits."""
    path = [noise]
    for step, sigma in enumerate(sigmas[:-1]):
        velocity = _velocity(branches, path[-1], sigma, cond, memory, step, layers_at(step))
        path.append(path[-1] + (sigmas[step + 1] - sigma) * velocity)
        tick()
    return SourcePath(path[-1], path.__getitem__, cond, memory)


def inverted(
    branches: Branches,
    x0: Tensor,
    sigmas: Sequence[float],
    cond: Conditioning,
    memory: SourceMemory,
    layers_at: LayersAt,
    tick: Tick,
    first_step: int = 0,
) -> SourcePath:
    """A real source by fixed-point inversion: Euler upward from sigma 0 with two evaluations a step, to
    `first_step`.

    The first evaluation of a step is the edit's source branch at the lower level, so what it lends is kept.
    """
    clean = len(sigmas) - 1
    path = {clean: x0}
    for step in range(clean - 1, first_step - 1, -1):
        low, rise = path[step + 1], sigmas[step] - sigmas[step + 1]
        lent = layers_at(step + 1) if step + 1 < clean else frozenset[str]()
        guess = low + rise * _velocity(branches, low, sigmas[step + 1], cond, memory, step + 1, lent)
        tick()
        path[step] = low + rise * _velocity(branches, guess, sigmas[step], cond, memory, step, frozenset())
        tick()
    return SourcePath(x0, path.__getitem__, cond, memory)


def _velocity(
    branches: Branches,
    latents: Tensor,
    sigma: float,
    cond: Conditioning,
    memory: SourceMemory,
    step: int,
    layers: frozenset[str],
) -> Tensor:
    """The source's velocity; what `layers` lend at `step` on the way is remembered if there is room for it.

    Asked before: keys and values that cannot be kept are never copied (2.9 GB a step of FLUX at 1024 x 1024).
    """
    keep = bool(layers) and memory.has_room(branches.lent_bytes(latents, layers))
    passed = branches.source(latents, sigma, cond, layers if keep else frozenset(), velocity=True)
    if keep:
        memory.keep(step, passed)
    assert passed.velocity is not None
    return passed.velocity
