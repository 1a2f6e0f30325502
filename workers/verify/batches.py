"""What a pass of 1, 2, 4 and 8 targets costs, by shape."""

from __future__ import annotations

from functools import partial
from math import sqrt

import torch

from workers.addit.models import Models
from workers.models.profiles import ModelProfile
from workers.verify.passes import passes_at, seconds_in_turns
from workers.verify.steps import Found, Trial

ROWS = (1, 2, 4, 8)
WIDE = 3 / 2


def check_batches(trial: Trial) -> Found:
    """Seconds by shape and rows; a batch for which there is no memory is a finding, not a failure."""
    models = trial.loaded()
    values = {
        f"{width}x{height}": _row(models, trial.profile, height, width)
        for height, width in shapes(trial.profile, models.size_multiple)
    }
    header = ["shape", *(f"{rows} targets" for rows in ROWS)]
    table = [header, *([shape, *_cells(seconds)] for shape, seconds in values.items())]
    return Found(
        "seconds of a target step that attends to its source; by target, beside one alone", values, table
    )


def shapes(profile: ModelProfile, multiple: int) -> list[tuple[int, int]]:
    """(height, width): the model's own square; where it works on them, the smallest and a wide one of that
    area."""
    side = profile.native_side
    sides = [(side, side), (side / sqrt(WIDE), side * sqrt(WIDE)), (sqrt(profile.min_pixels),) * 2]
    found = dict.fromkeys((_near(height, multiple), _near(width, multiple)) for height, width in sides)
    return [shape for shape in found if profile.min_pixels <= shape[0] * shape[1] <= profile.max_pixels]


def _near(pixels: float, multiple: int) -> int:
    return max(round(pixels / multiple), 1) * multiple


@torch.inference_mode()
def _row(models: Models, profile: ModelProfile, height: int, width: int) -> dict[int, float | None]:
    passes = passes_at(models, profile, height, width)
    with models.backbone.exchange_processors():
        lent = passes.lending()
        runs = {rows: partial(passes.targets, rows, lent) for rows in ROWS}
        return dict.fromkeys(ROWS) | seconds_in_turns(runs, models.device)


def _cells(seconds: dict[int, float | None]) -> list[str]:
    alone = seconds[1]
    return [
        "no room" if spent is None or alone is None else f"{spent:.3f} s ({spent / rows / alone:.2f})"
        for rows, spent in seconds.items()
    ]
