"""Previews: which steps, how small, and that they change nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.workers.addit.backbones.families import PROMPTS
from tests.workers.addit.backbones.test_insertion import models_of, short
from workers.addit.config import PAPER_GENERATED
from workers.addit.edits import Edit, PromptSource
from workers.addit.latents import LatentGrid
from workers.addit.pipeline import insert
from workers.addit.previews import preview_steps, shrink, small_pictures


@pytest.mark.parametrize(
    ("start", "steps", "count"), [(4, 30, 2), (2, 30, 4), (0, 4, 4), (3, 4, 4), (4, 6, 3)]
)
def test_previews_lie_evenly_between_start_and_end(start: int, steps: int, count: int) -> None:
    wanted = preview_steps(start, steps, count)
    assert list(wanted.values()) == list(range(len(wanted)))
    assert len(wanted) == min(count, steps - start - 1) or steps - start <= count
    assert all(start <= step < steps - 1 for step in wanted)
    gaps = np.diff([start - 1, *wanted, steps - 1])
    assert gaps.max() - gaps.min() <= 1 or steps - start <= count + 1


def test_no_previews_are_no_steps() -> None:
    assert preview_steps(4, 30, 0) == {}


def test_shrinking_takes_means_and_leaves_small_grids_alone() -> None:
    grid = LatentGrid(8, 4)
    tokens = torch.arange(2.0)[:, None, None].expand(2, grid.tokens, 16) + 1
    same, unchanged = shrink(tokens, grid, 8)
    assert same is tokens
    assert unchanged == grid
    small, half = shrink(tokens, grid, 4)
    assert half == LatentGrid(4, 2)
    torch.testing.assert_close(small, tokens[:, : half.tokens])


def test_the_loop_shows_its_guess_after_every_step_and_is_not_changed() -> None:
    models = models_of("flux")
    side = models.size_multiple
    source = PromptSource(PROMPTS[0], 3, 2 * side, 4 * side)
    edit = Edit(source, PROMPTS[1], ("dog",), (1, 2), short(PAPER_GENERATED))
    seen: dict[int, Tensor] = {}

    def look(step: int, x0: Tensor, grid: LatentGrid, rows: tuple[int, ...]) -> None:
        assert rows == (0, 1)
        seen[step] = x0.clone()
        shown = small_pictures(models, x0, grid)
        assert [picture.shape for picture in shown] == [(2 * side, 4 * side, 3)] * 2

    watched, alone = insert(models, edit, on_x0=look), insert(models, edit)
    assert list(seen) == list(range(edit.config.structure_transfer_step, 4))
    torch.testing.assert_close(watched.latents, alone.latents)
    torch.testing.assert_close(seen[3], alone.latents)
