"""Subject-guided latent blending (arXiv 2411.07232, section 3.4), and the rows that go on after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from workers.addit.cast_shadow import shadow_room
from workers.addit.config import AdditConfig
from workers.addit.dropping import Choice, choose
from workers.addit.latents import LatentGrid
from workers.addit.localizers import Located
from workers.addit.targets import Targets, source_after, source_step
from workers.addit.weights import Weight


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
class Blended:
    """How it goes on after a blend, with all rows or with those that were chosen.

    latents: (B, L, C), with the source outside the subject; blend: as it was done
    """

    targets: Targets
    latents: Tensor
    blend: Blend
    choice: Choice


def blend_in(targets: Targets, state: Blend) -> Blended:
    """The targets with the source outside what is located now, from their state at a blend step."""
    located = tuple(targets.locate(state.maps, state.x0))
    keep = subject_cells(located, targets.branches.grid, targets.config.softness)
    strict = targets.config.strict_background
    source = None if strict else source_step(targets, state.step)
    outside = targets.path.latents(state.step + 1) if strict else source_after(targets, source, state.step)
    latents, done = mix(outside, state.latents, keep), replace(state, located=located, keep=keep)
    return _without_dropped(Blended(targets, latents, done, _choice(targets, done)))


def _choice(targets: Targets, blend: Blend) -> Choice:
    """The rows that go on: all, but where the first blend has to choose."""
    config, rows = targets.config, len(blend.located)
    if config.keep_best is None or rows == 1 or blend.step != min(config.blend_steps):
        return Choice(tuple(range(rows)))
    return choose(targets.foresee(blend.x0, blend.located), config.keep_best)


def _without_dropped(blended: Blended) -> Blended:
    """With the chosen rows alone, in all that is told or kept by row."""
    rows = list(blended.choice.kept)
    if not blended.choice.dropped:
        return blended
    targets, blend = blended.targets.of(rows), blended.blend.of(rows)
    return replace(blended, targets=targets, latents=blended.latents[rows], blend=blend)


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
