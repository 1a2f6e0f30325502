"""The loop (arXiv 2411.07232, section 3): source and target side by side, structure transfer, extension,
blending."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from workers.addit.attention_spread import AttentionSpread
from workers.addit.backbones.conditioning import Conditioning
from workers.addit.cast_shadow import shadow_room
from workers.addit.config import PUBLISHED_STEPS, AdditConfig, scale_step
from workers.addit.dropping import Choice, Foresee, choose, foresee_located
from workers.addit.forward import Branches, ExtendTarget, Recorder
from workers.addit.gamma import Gamma, balance
from workers.addit.latents import LatentGrid, add_noise
from workers.addit.localizers import Located
from workers.addit.previews import OnX0
from workers.addit.processor import Rotary
from workers.addit.source_memory import StepMemory
from workers.addit.sources import LayersAt, SourcePath, Tick, recall, remember
from workers.addit.subject_bias import SubjectBias
from workers.addit.subject_maps import SubjectRecorder, recorded_steps
from workers.addit.verdicts import Verdict
from workers.addit.weights import Weight

AUTO_START = 1.05
"""Gamma before the step that finds its own: the paper's mean."""

Locate = Callable[[Tensor, Tensor], Sequence[tuple[Located, ...]]]
"""From attention maps (B, n, h, w) and the target's x0 (B, L, C) to one `Located` per row and subject."""


@dataclass(frozen=True)
class Blend:
    """What happened at one blend step, and all that is needed to do it again with another mask.

    latents: (B, L, C), the target's after the step, before blending; x0: (B, L, C), its clean guess then
    maps: (B, n, h, w) of n subjects, all zeros for one where nobody looked; located: per row and subject
    keep: (B, L, 1), 1 at the subjects; scale: gamma as it was used
    """

    step: int
    latents: Tensor
    x0: Tensor
    maps: Tensor
    located: tuple[tuple[Located, ...], ...]
    keep: Tensor
    scale: Weight | Tensor

    def of(self, rows: Sequence[int]) -> Blend:
        """That of some rows alone."""
        picked = list(rows)
        return Blend(
            self.step,
            self.latents[picked],
            self.x0[picked],
            self.maps[picked],
            tuple(self.located[row] for row in picked),
            self.keep[picked],
            self.scale[picked] if isinstance(self.scale, Tensor) else self.scale,
        )


@dataclass(frozen=True)
class Denoised:
    """The target's clean latents (B, L, C) and its blends in order.

    source_error: mean squared error of the source's velocity where the truth is known, else None; large for a
        picture unlike what the model was trained on
    scale: the weight on the target's keys as it was used at the end
    gamma: what the search for even spread found, where it was asked for
    dropped: rows of the batch that were not finished, with the reason; all else is of the others alone
    """

    latents: Tensor
    blends: tuple[Blend, ...]
    scale: Weight | Tensor
    source_error: float | None = None
    gamma: Gamma | None = None
    dropped: Mapping[int, Verdict] = field(default_factory=dict)


@dataclass(frozen=True)
class Targets:
    """What the loop needs besides latents: one source, the targets' prompt, and how to look at them.

    recorder: of the subjects' attention; None where no localizer asks for it, and maps are empty
    watchers: look on at all steps
    foresee: what rows promise, where some are to be dropped
    on_x0: shown the clean guess after every step
    shift, bias: see `ExtendTarget`
    """

    branches: Branches
    path: SourcePath
    cond: Conditioning
    sigmas: Sequence[float]
    config: AdditConfig
    layers_at: LayersAt
    recorder: SubjectRecorder | None
    locate: Locate
    tick: Tick
    watchers: tuple[Recorder, ...] = ()
    foresee: Foresee = foresee_located
    on_x0: OnX0 | None = None
    shift: Rotary | None = None
    bias: SubjectBias | None = None

    def exchange(
        self,
        step: int,
        source: StepMemory | None,
        layers: frozenset[str],
        scale: Weight | Tensor,
        recorders: tuple[Recorder, ...],
    ) -> ExtendTarget:
        """Of one pass."""
        weights = scale, self.config.source_scale
        return ExtendTarget(step, source, layers, *weights, recorders, self.shift, self.bias)


def denoise(targets: Targets, noise: Tensor) -> Denoised:
    """Denoise a batch of targets from `noise` (B, L, C) beside one source.

    Steps before the structure transfer are never computed.
    """
    first = targets.config.structure_transfer_step
    latents = add_noise(targets.path.x0, noise, targets.sigmas[first])
    scale = targets.config.extended_scale
    return _denoise_from(targets, first, latents, AUTO_START if scale == "auto" else scale)


def replay(targets: Targets, blend: Blend) -> Denoised:
    """Blend again from a state kept, with what `targets.locate` says now, and go on.

    Only the steps that follow are paid.
    """
    again = _blend(targets, blend)
    return _denoise_from(again.targets, blend.step + 1, again.latents, again.blend.scale, again)


def _denoise_from(
    targets: Targets, first: int, latents: Tensor, scale: Weight | Tensor, blended: _Blended | None = None
) -> Denoised:
    config, path, sigmas = targets.config, targets.path, targets.sigmas
    watched = {step for blend in config.blend_steps for step in recorded_steps(blend, first)}
    source_error: float | None = None
    gamma: Gamma | None = None
    blends = [blended.blend] if blended else []
    dropped = blended.choice.dropped if blended else {}
    for step in range(first, len(sigmas) - 1):
        sigma, rise = sigmas[step], sigmas[step + 1] - sigmas[step]
        source = source_step(targets, step)
        error = velocity_error(source, path)
        source_error = source_error if error is None else error
        if config.extended_scale == "auto" and source is not None and step == gamma_step(config):
            gamma = find_gamma(targets, source, step, latents)
            scale = gamma.value.reshape(-1, 1, 1, 1)
        recorders = targets.watchers
        if targets.recorder is not None and step in watched:
            recorders = (*recorders, targets.recorder)
        exchange = targets.exchange(step, source, targets.layers_at(step), scale, recorders)
        velocity = targets.branches.target(latents, sigma, targets.cond, exchange)
        x0 = latents - sigma * velocity
        latents = latents + rise * velocity
        if config.use_offset:
            latents = latents + path.latents(step + 1) - source_after(targets, source, step)
        if step in config.blend_steps:
            maps = recorded_maps(targets, step, first, latents)
            nothing = torch.zeros(latents.shape[0], latents.shape[1], 1)
            blended = _blend(targets, Blend(step, latents, x0, maps, (), nothing, scale))
            targets, latents, scale = blended.targets, blended.latents, blended.blend.scale
            blends.append(blended.blend)
            dropped = dropped or blended.choice.dropped
            gamma = gamma.of(blended.choice.kept) if gamma else None
        elif config.strict_background and blends:
            opened = open_cells(blends[-1].keep, targets.branches.grid, config)
            latents = mix(path.latents(step + 1), latents, opened)
        targets.tick()
        if targets.on_x0 is not None:
            targets.on_x0(step, x0, targets.branches.grid)
    return Denoised(latents, tuple(blends), scale, source_error, gamma, dropped)


def recorded_maps(targets: Targets, step: int, first: int, latents: Tensor) -> Tensor:
    """(B, n, h, w) attention on the subjects up to a blend step, (B, 1, h, w) zeros where nobody looked."""
    grid = targets.branches.grid
    if targets.recorder is None:
        return torch.zeros(latents.shape[0], 1, grid.height, grid.width)
    return targets.recorder.maps(recorded_steps(step, first), grid, targets.config.accumulate)


@dataclass(frozen=True)
class _Blended:
    """How it goes on after a blend, with all rows or with those that were chosen.

    latents: (B, L, C), with the source outside the subject; blend: as it was done
    """

    targets: Targets
    latents: Tensor
    blend: Blend
    choice: Choice


def _blend(targets: Targets, state: Blend) -> _Blended:
    located = tuple(targets.locate(state.maps, state.x0))
    keep = subject_cells(located, targets.branches.grid, targets.config.softness)
    strict = targets.config.strict_background
    source = None if strict else source_step(targets, state.step)
    outside = targets.path.latents(state.step + 1) if strict else source_after(targets, source, state.step)
    latents, done = mix(outside, state.latents, keep), replace(state, located=located, keep=keep)
    return _without_dropped(_Blended(targets, latents, done, _choice(targets, done)))


def _choice(targets: Targets, blend: Blend) -> Choice:
    """The rows that go on: all, but where the first blend has to choose."""
    config, rows = targets.config, len(blend.located)
    if config.keep_best is None or rows == 1 or blend.step != min(config.blend_steps):
        return Choice(tuple(range(rows)))
    return choose(targets.foresee(blend.x0, blend.located), config.keep_best)


def _without_dropped(blended: _Blended) -> _Blended:
    """With the chosen rows alone, in all that is told or kept by row."""
    targets, rows = blended.targets, list(blended.choice.kept)
    if not blended.choice.dropped:
        return blended
    if targets.recorder is not None:
        targets.recorder.keep(rows)
    targets = replace(targets, cond=targets.cond.of(rows))
    return replace(blended, targets=targets, latents=blended.latents[rows], blend=blended.blend.of(rows))


def source_step(targets: Targets, step: int) -> StepMemory | None:
    """What the target needs of the source at `step`, remembered or computed; None where it needs nothing.

    The last pass that is lent runs to its end, for the velocity that judges whether the model knows such
    pictures. What a path's own Euler step gives needs no velocity.
    """
    config, path = targets.config, targets.path
    lend = targets.layers_at(step)
    copied = step in config.blend_steps and not config.strict_background
    judged = step == config.last_extended_step and path.true_velocity is not None
    velocity = judged or (not path.euler and (copied or config.use_offset))
    if not lend and not velocity:
        return None
    known = recall(path, step, lend, velocity)
    if known is not None:
        return known
    passed = targets.branches.source(
        path.latents(step), targets.sigmas[step], path.cond, lend, velocity=velocity
    )
    remember(path, step, passed)
    return passed


def velocity_error(source: StepMemory | None, path: SourcePath) -> float | None:
    """Mean squared error of the source's velocity, None where it or the truth is not known."""
    if source is None or source.velocity is None or path.true_velocity is None:
        return None
    if source.velocity.is_meta:
        return None
    return float((source.velocity - path.true_velocity).square().mean())


def source_after(targets: Targets, source: StepMemory | None, step: int) -> Tensor:
    """(1, L, C) source latents after its own Euler step from `step`, as the reference copies them."""
    path, sigmas = targets.path, targets.sigmas
    if path.euler:
        return path.latents(step + 1)
    assert source is not None
    assert source.velocity is not None
    return path.latents(step) + (sigmas[step + 1] - sigmas[step]) * source.velocity


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


def subject_cells(located: Sequence[tuple[Located, ...]], grid: LatentGrid, softness: float) -> Tensor:
    """(B, L, 1) 0..1, 1 where the latent grid shows one of a row's subjects, fading out over `softness`
    cells."""
    rows = [torch.stack([one.weights(grid, softness) for one in row]) for row in located]
    cells = torch.stack([weights.amax(dim=0) for weights in rows])
    return cells.flatten(1)[..., None].float()


def open_cells(keep: Tensor, grid: LatentGrid, config: AdditConfig) -> Tensor:
    """(B, L, 1), 1 where a strict background lets the target go on: at `keep`, and where its shadow may
    fall."""
    if not config.keep_shadow:
        return keep
    cells = (keep > 0).reshape(-1, grid.height, grid.width)
    return torch.stack([shadow_room(one) for one in cells]).flatten(1)[..., None].to(keep)


def mix(source: Tensor, target: Tensor, keep: Tensor) -> Tensor:
    """The target where `keep` (B, L, 1) is 1, the source (1, L, C) elsewhere (paper section 3.4)."""
    return torch.lerp(source.expand_as(target), target, keep.to(target.device))
