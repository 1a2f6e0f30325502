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
        passed = branches.source(path[-1], sigma, cond, layers_at(step), velocity=True)
        assert passed.velocity is not None
        path.append(path[-1] + (sigmas[step + 1] - sigma) * passed.velocity)
        if layers_at(step):
            memory.keep(step, passed)
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
    path = {len(sigmas) - 1: x0}
    for step in range(len(sigmas) - 2, first_step - 1, -1):
        low, rise = path[step + 1], sigmas[step] - sigmas[step + 1]
        known = step + 1 < len(sigmas) - 1
        lower = branches.source(
            low, sigmas[step + 1], cond, layers_at(step + 1) if known else frozenset(), velocity=True
        )
        if known and layers_at(step + 1):
            memory.keep(step + 1, lower)
        assert lower.velocity is not None
        guess = low + rise * lower.velocity
        tick()
        upper = branches.source(guess, sigmas[step], cond, frozenset(), velocity=True)
        assert upper.velocity is not None
        path[step] = low + rise * upper.velocity
        tick()
    return SourcePath(x0, path.__getitem__, cond, memory)
