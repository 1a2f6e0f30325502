"""Add-it as a method: its settings go through, its source is the item's, its mask comes back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evaluation.methods.addit import Addit
from evaluation.methods.method import Workbench
from tests.evaluation.samples import TOLD, picture, pictured, tiny_bench
from toyland.score.drawings import draw
from workers.addit.config import PAPER_GENERATED, PAPER_REAL
from workers.addit.edits import PictureSource, PromptSource
from workers.addit.pipeline import insert


@pytest.fixture(scope="module")
def bench() -> Workbench:
    return tiny_bench()


def method(**changes: object) -> Addit:
    generated, real = (
        replace(preset.at_steps(6), localizer="attention", **changes)  # type: ignore[arg-type]
        for preset in (PAPER_GENERATED, PAPER_REAL)
    )
    return Addit(generated, real)


def test_the_sources_kind_chooses_the_settings(tmp_path: Path) -> None:
    item, ours = pictured(tmp_path), method()
    real, told = ours.to_edit(item, picture(), 4), ours.to_edit(TOLD, picture(), 4)
    assert isinstance(real.source, PictureSource)
    assert isinstance(told.source, PromptSource)
    assert (real.config, told.config) == (ours.real, ours.generated)
    assert told.source.seed == 4


def test_a_told_source_is_what_the_rivals_get(bench: Workbench) -> None:
    """Drawn by the evaluation once, and by Add-it's own passes: the same picture."""
    generated = replace(PAPER_GENERATED, localizer="attention")
    done = insert(bench.models, Addit(generated, PAPER_REAL).to_edit(TOLD, picture(), 4))
    source = draw(bench.models, TOLD.source_prompt, 4, picture().shape[0])
    assert np.abs(done.source.astype(int) - source).max() <= 1


def test_the_mask_comes_back(bench: Workbench, tmp_path: Path) -> None:
    made = method().edit(bench, pictured(tmp_path), picture(), 4)
    assert made.mask is not None
    assert made.mask.shape == made.picture.shape[:2]
    assert made.forwards is not None
    assert made.forwards > 0


def test_a_strict_background_keeps_the_sources_own_pixels(bench: Workbench, tmp_path: Path) -> None:
    item = pictured(tmp_path)
    free = method().edit(bench, item, picture(), 4)
    strict = method(strict_background=True, keep_shadow=False).edit(bench, item, picture(), 4)
    same = (strict.picture == picture()).all(-1).mean()
    assert same > (free.picture == picture()).all(-1).mean()
    assert np.array_equal(free.picture.shape, strict.picture.shape)


def test_what_one_edit_learned_of_a_picture_serves_the_next_seed(tmp_path: Path) -> None:
    bench, item = tiny_bench(), pictured(tmp_path)
    alone = method().edit(bench, item, picture(), 4)
    bench.forget()
    method().edit(bench, item, picture(), 5)
    after = method().edit(bench, item, picture(), 4)
    assert not alone.reused
    assert after.reused
    assert alone.forwards is not None
    assert after.forwards is not None
    assert after.forwards < alone.forwards
    assert np.abs(after.picture.astype(int) - alone.picture).max() <= 1
