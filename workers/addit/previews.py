"""Small pictures of what is coming, from the clean guess that every step makes anyway."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch.nn.functional as F
from torch import Tensor

from workers.addit.codec import decode_picture
from workers.addit.latents import PATCH, LatentGrid, pack, unpack
from workers.addit.localizers import Picture
from workers.addit.models import Models

MOST_SIDE = 256
"""Pixels of a preview's longer side: a sixteenth of the decoder's work at 1024."""

OnX0 = Callable[[int, Tensor, LatentGrid, tuple[int, ...]], None]
"""Called with (step, clean guess (B, L, C), its grid, which rows of the batch as it began these are) after
every step of the target."""
Show = Callable[[int, int, Mapping[int, Picture]], None]
"""Called with (number, step, a small picture of each row that goes on)."""


def preview_steps(start: int, steps: int, count: int) -> dict[int, int]:
    """The steps after which previews are made and their numbers from 0, spread evenly from `start` to the
    end; fewer where there are fewer steps."""
    spread = ((steps - start) * (number + 1) // (count + 1) for number in range(count))
    wanted = dict.fromkeys(start + done - 1 for done in spread if done > 0)
    return {step: number for number, step in enumerate(wanted)}


def watch(models: Models, wanted: Mapping[int, int], show: Show) -> OnX0:
    """Calls `show` after the `wanted` steps of `preview_steps`."""

    def on_x0(step: int, x0: Tensor, grid: LatentGrid, rows: tuple[int, ...]) -> None:
        if step in wanted:
            show(wanted[step], step, dict(zip(rows, small_pictures(models, x0, grid), strict=True)))

    return on_x0


def small_pictures(models: Models, x0: Tensor, grid: LatentGrid) -> list[Picture]:
    """(H, W, 3) each, no side beyond `MOST_SIDE`, of (B, L, C) tokens."""
    tokens, small = shrink(x0, grid, MOST_SIDE // models.size_multiple)
    return [decode_picture(models, row[None], small) for row in tokens]


def shrink(tokens: Tensor, grid: LatentGrid, most: int) -> tuple[Tensor, LatentGrid]:
    """Tokens of a grid with at most `most` on a side: the latents' means over areas."""
    scale = min(1.0, most / max(grid.height, grid.width))
    if scale == 1:
        return tokens, grid
    small = LatentGrid(max(1, round(grid.height * scale)), max(1, round(grid.width * scale)))
    cells = (PATCH * small.height, PATCH * small.width)
    return pack(F.interpolate(unpack(tokens, grid), size=cells, mode="area")), small
