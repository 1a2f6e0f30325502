"""The loop (arXiv 2411.07232, section 3): source and target side by side, structure transfer, extension,
blending."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from workers.addit.attention_spread import AttentionSpread
from workers.addit.blending import Blend, blend_in, mix, open_cells
from workers.addit.config import PUBLISHED_STEPS, AdditConfig, scale_step
from workers.addit.gamma import Gamma, balance
from workers.addit.going import Going
from workers.addit.latents import add_noise
from workers.addit.source_memory import StepMemory
from workers.addit.subject_maps import recorded_steps
from workers.addit.targets import Targets, source_after, source_step, velocity_error
from workers.addit.verdicts import Verdict
from workers.addit.weights import Weight

AUTO_START = 1.05
"""Gamma before the step that finds its own: the paper's mean."""


@dataclass(frozen=True)
class Denoised:
    """The target's clean latents (B, L, C) and its blends in order.

    rows: the rows of the batch that were finished; all else but `dropped` is of these alone
    source_error: mean squared error of the source's velocity where the truth is known, else None; large for a
        picture unlike what the model was trained on
    scale: the weight on the target's keys as it was used at the end
    gamma: what the search for even spread found, where it was asked for
    dropped: rows that a blend left out, with the reason; any other nobody wanted to the end
    """

    latents: Tensor
    rows: tuple[int, ...]
    blends: tuple[Blend, ...]
    scale: Weight | Tensor
    source_error: float | None = None
    gamma: Gamma | None = None
    dropped: Mapping[int, Verdict] = field(default_factory=dict)


def denoise(targets: Targets, noise: Tensor) -> Denoised:
    """Denoise a batch of targets from `noise` (B, L, C) beside one source.

    Steps before the structure transfer are never computed.
    """
    first = targets.config.structure_transfer_step
    latents = add_noise(targets.path.x0, noise, targets.sigmas[first])
    scale = targets.config.extended_scale
    rows = tuple(range(len(noise)))
    return _denoise_from(Going(targets, rows, latents, AUTO_START if scale == "auto" else scale), first)


def replay(targets: Targets, blend: Blend) -> Denoised:
    """Blend again from a state kept, with what `targets.locate` says now, and go on.

    Only the steps that follow are paid.
    """
    kept = Going(targets, tuple(range(len(blend.latents))), blend.latents, blend.scale)
    return _denoise_from(kept.after(blend_in(targets, blend)), blend.step + 1)


def _denoise_from(going: Going, first: int) -> Denoised:
    config, path, sigmas = going.targets.config, going.targets.path, going.targets.sigmas
    watched = {step for blend in config.blend_steps for step in recorded_steps(blend, first)}
    source_error: float | None = None
    for step in range(first, len(sigmas) - 1):
        going = going.without(going.targets.unwanted(step))
        if not going.rows:
            break
        targets, latents, rows = going.targets, going.latents, going.rows
        sigma, rise = sigmas[step], sigmas[step + 1] - sigmas[step]
        source = source_step(targets, step)
        error = velocity_error(source, path)
        source_error = source_error if error is None else error
        if config.extended_scale == "auto" and source is not None and step == gamma_step(config):
            gamma = find_gamma(targets, source, step, latents)
            going = replace(going, gamma=gamma, scale=gamma.value.reshape(-1, 1, 1, 1))
        recorders = targets.watchers
        if targets.recorder is not None and step in watched:
            recorders = (*recorders, targets.recorder)
        exchange = targets.exchange(step, source, targets.layers_at(step), going.scale, recorders)
        velocity = targets.branches.target(latents, sigma, targets.cond, exchange)
        x0 = latents - sigma * velocity
        latents = latents + rise * velocity
        if config.use_offset:
            latents = latents + path.latents(step + 1) - source_after(targets, source, step)
        if step in config.blend_steps:
            maps = recorded_maps(targets, step, first, latents)
            nothing = torch.zeros(latents.shape[0], latents.shape[1], 1)
            going = going.after(blend_in(targets, Blend(step, latents, x0, maps, (), nothing, going.scale)))
        elif config.strict_background and going.blends:
            opened = open_cells(going.blends[-1].keep, targets.branches.grid, config)
            going = replace(going, latents=mix(path.latents(step + 1), latents, opened))
        else:
            going = replace(going, latents=latents)
        targets.tick()
        if targets.on_x0 is not None:
            targets.on_x0(step, x0, targets.branches.grid, rows)
    return Denoised(
        going.latents, going.rows, going.blends, going.scale, source_error, going.gamma, going.dropped
    )


def recorded_maps(targets: Targets, step: int, first: int, latents: Tensor) -> Tensor:
    """(B, n, h, w) attention on the subjects up to a blend step, (B, 1, h, w) zeros where nobody looked."""
    grid = targets.branches.grid
    if targets.recorder is None:
        return torch.zeros(latents.shape[0], 1, grid.height, grid.width)
    return targets.recorder.maps(recorded_steps(step, first), grid, targets.config.accumulate)


def gamma_step(config: AdditConfig) -> int:
    """Where even spread is searched for: the reference's step 5 of 30, or the first one computed."""
    return max(scale_step(5, PUBLISHED_STEPS, config.num_inference_steps), config.structure_transfer_step)


def find_gamma(targets: Targets, source: StepMemory, step: int, latents: Tensor) -> Gamma:
    """Gamma of even spread over source and target in the double-stream blocks (section 5 of the method).

    Those blocks alone are run, some few times; the step's true forward follows with what was found.
    """
    branches = targets.branches
    double = targets.layers_at(step) & branches.backbone.double_layers
    layers = [layer for layer in branches.backbone.layers if layer in double]

    def spread(gamma: Tensor) -> Tensor:
        text_len = targets.cond.text_len
        meter = AttentionSpread(layers, range(text_len), text_len)
        scale = gamma.reshape(-1, 1, 1, 1)
        exchange = targets.exchange(step, source, frozenset(layers), scale, (meter,))
        branches.glance(latents, targets.sigmas[step], targets.cond, exchange, layers[-1])
        source_share, _, target_share = meter.rows(step).unbind(dim=1)
        return (target_share / source_share).log()

    return balance(spread, latents.shape[0])
