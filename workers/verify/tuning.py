"""What shared passes cost on this machine: one row for each who asks, every row with a level of its own."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import torch

from workers.addit.forward import ExtendTarget
from workers.addit.latents import LatentGrid
from workers.addit.models import Models
from workers.addit.shared_passes import Ask, answer_all, share_always
from workers.addit.source_memory import StepMemory
from workers.models.batch_costs import BatchCosts
from workers.models.profiles import ModelProfile
from workers.verify.batches import ROWS, shapes
from workers.verify.passes import GAMMA, SIGMA, Passes, passes_at, seconds_in_turns


def tune(models: Models, profile: ModelProfile, repeats: int) -> BatchCosts:
    """By image tokens of the profile's shapes, and rows; what has no room has no entry."""
    scale = models.pipe.vae_scale_factor
    grids = {LatentGrid.of_image(*shape, scale): shape for shape in shapes(profile, models.size_multiple)}
    measured = {grid.tokens: _measure(models, profile, shape, repeats) for grid, shape in grids.items()}
    return BatchCosts(measured)


@torch.inference_mode()
def _measure(
    models: Models, profile: ModelProfile, shape: tuple[int, int], repeats: int
) -> Mapping[int, float]:
    passes = passes_at(models, profile, *shape)
    with models.backbone.exchange_processors():
        models.backbone.foresee(passes.target, [SIGMA])  # as an edit does for all of its steps
        lent = passes.lending()
        runs = {rows: partial(shared, passes, lent, rows) for rows in ROWS}
        return seconds_in_turns(runs, models.device, repeats)


def shared(passes: Passes, lent: StepMemory, rows: int) -> None:
    """One pass for so many who ask. Raises what the pass raises."""
    branches, noise = passes.branches, passes.noise
    told = branches.backbone.shown(passes.target, noise)
    layers = frozenset(branches.backbone.layers)
    asks = [
        Ask(
            noise,
            SIGMA - 0.01 * row,
            told,
            branches.grid,
            ExtendTarget(row, lent, layers, GAMMA),
            ExtendTarget(row, lent, layers, GAMMA),
        )
        for row in range(rows)
    ]
    for answer in answer_all(branches.backbone, asks, share_always):
        if isinstance(answer, Exception):
            raise answer
