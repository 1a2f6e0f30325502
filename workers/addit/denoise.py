"""The loop (arXiv 2411.07232, section 3): source and target side by side, structure transfer, extension,
blending."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from workers.addit.cast_shadow import shadow_room
from workers.addit.config import AdditConfig
from workers.addit.forward import Branches, Conditioning, ExtendTarget
from workers.addit.latents import LatentGrid, add_noise
from workers.addit.localizers import Located
from workers.addit.source_memory import StepMemory
from workers.addit.sources import LayersAt, SourcePath, Tick
from workers.addit.subject_maps import SubjectRecorder, recorded_steps

Locate = Callable[[Tensor, Tensor], Sequence[Located]]
"""From attention maps (B, h, w) and the target's x0 (B, L, C) to one `Located` per row."""


@dataclass(frozen=True)
class Blend:
    """What happened at one blend step, and all that is needed to do it again with another mask.

    latents: (B, L, C), the target's after the step, before blending; maps: (B, h, w); keep: (B, L, 1), 1 at
    the subject
    """

    step: int
    latents: Tensor
    maps: Tensor
    located: tuple[Located, ...]
    keep: Tensor


@dataclass(frozen=True)
class Denoised:
    """The target's clean latents (B, L, C) and its blends in order.

    source_error: mean squared error of the source's velocity where the truth is known, else None; large for a
        picture unlike what the model was trained on
    """

    latents: Tensor
    blends: tuple[Blend, ...]
    source_error: float | None = None


def denoise(
    branches: Branches,
    path: SourcePath,
    target: Conditioning,
    noise: Tensor,
    sigmas: Sequence[float],
    config: AdditConfig,
    layers_at: LayersAt,
    recorder: SubjectRecorder,
    locate: Locate,
    tick: Tick,
) -> Denoised:
    """Denoise a batch of targets from `noise` (B, L, C) beside one source.

    Steps before the structure transfer are never computed.
    """
    first = config.structure_transfer_step
    watched = {step for blend in config.blend_steps for step in recorded_steps(blend, first)}
    latents = add_noise(path.x0, noise, sigmas[first])
    blends: list[Blend] = []
    source_error: float | None = None
    for step in range(first, len(sigmas) - 1):
        sigma, rise = sigmas[step], sigmas[step + 1] - sigmas[step]
        source = source_step(branches, path, sigma, step, config, layers_at)
        error = velocity_error(source, path)
        source_error = source_error if error is None else error
        watcher = recorder if step in watched else None
        exchange = ExtendTarget(step, source, layers_at(step), config.extended_scale, watcher)
        velocity = branches.target(latents, sigma, target, exchange)
        x0 = latents - sigma * velocity
        latents = latents + rise * velocity
        if step in config.blend_steps:
            maps = recorder.maps(recorded_steps(step, first), branches.grid, config.accumulate)
            located = tuple(locate(maps, x0))
            blends.append(Blend(step, latents, maps, located, subject_cells(located, branches)))
            latents = blend(source_after(path, source, step, rise, config), latents, blends[-1].keep)
        elif config.strict_background and blends:
            latents = blend(
                path.latents(step + 1), latents, open_cells(blends[-1].keep, branches.grid, config)
            )
        path.memory.drop(step)
        tick()
    return Denoised(latents, tuple(blends), source_error)


def source_step(
    branches: Branches, path: SourcePath, sigma: float, step: int, config: AdditConfig, layers_at: LayersAt
) -> StepMemory | None:
    """What the target needs of the source at `step`, remembered or computed; None where it needs nothing.

    The last pass that is lent runs to its end, for the velocity that judges whether the model knows such
    pictures.
    """
    lend = layers_at(step)
    copied = step in config.blend_steps and not config.strict_background
    judged = step == config.last_extended_step and path.true_velocity is not None
    velocity = copied or judged
    if not lend and not velocity:
        return None
    known = path.memory.get(step)
    if known is not None and lend <= known.lent.keys() and (known.velocity is not None or not velocity):
        return known
    return branches.source(path.latents(step), sigma, path.cond, lend, velocity=velocity)


def velocity_error(source: StepMemory | None, path: SourcePath) -> float | None:
    """Mean squared error of the source's velocity, None where it or the truth is not known."""
    if source is None or source.velocity is None or path.true_velocity is None:
        return None
    return float((source.velocity - path.true_velocity).square().mean())


def source_after(
    path: SourcePath, source: StepMemory | None, step: int, rise: float, config: AdditConfig
) -> Tensor:
    """(1, L, C) source latents that a blend after `step` copies.

    After the source's own Euler step, as the reference does; its known latents of the next step where the
    background
    is strict.
    """
    if config.strict_background or source is None or source.velocity is None:
        return path.latents(step + 1)
    return path.latents(step) + rise * source.velocity


def subject_cells(located: Sequence[Located], branches: Branches) -> Tensor:
    """(B, L, 1) float, 1 where the latent grid shows the subject."""
    cells = torch.stack([one.cells(branches.grid) for one in located])
    return cells.flatten(1)[..., None].float()


def open_cells(keep: Tensor, grid: LatentGrid, config: AdditConfig) -> Tensor:
    """(B, L, 1), 1 where a strict background lets the target go on: at `keep`, and where its shadow may
    fall."""
    if not config.keep_shadow:
        return keep
    cells = (keep > 0).reshape(-1, grid.height, grid.width)
    return torch.stack([shadow_room(one) for one in cells]).flatten(1)[..., None].to(keep)


def blend(source: Tensor, target: Tensor, keep: Tensor) -> Tensor:
    """The target where `keep` (B, L, 1) is 1, the source (1, L, C) elsewhere (paper section 3.4)."""
    return torch.lerp(source.expand_as(target), target, keep.to(target.device))
