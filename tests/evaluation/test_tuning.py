"""Tuning: the best setting is found, the whole grid is published, everybody has as many tries."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from evaluation.methods.addit import Addit
from evaluation.methods.catalogue import Places, catalogue
from evaluation.methods.method import Workbench
from evaluation.methods.prompt_to_prompt import PromptToPrompt
from evaluation.running import Evaluation
from evaluation.suites.items import Item
from evaluation.tuning import VALIDATION_SEED, grids, tune, tuned
from tests.evaluation.samples import TOLD, picture
from tests.evaluation.scripted import CALLS, Painter, judges
from workers.models.profiles import FLUX_DEV, FLUX_SCHNELL, embedded_profile


@pytest.fixture
def item(tmp_path: Path) -> Item:
    file = tmp_path / "source.png"
    Image.fromarray(picture(side=256)).save(file)
    return replace(TOLD, image=file, boxes=((0.0, 0.0, 64.0, 64.0),), seed=0)


def test_the_best_of_the_grid_is_kept_and_all_is_written(tmp_path: Path, item: Item) -> None:
    CALLS.clear()
    ours = Evaluation(tmp_path / "tuning", "mine", Workbench(embedded_profile()), judges)
    grid = (Painter(every=3), Painter(every=1), Painter(every=2))
    assert tune(ours, "painter", grid, [item], 4) == 1
    assert {seed for _, seed in CALLS} == {VALIDATION_SEED + seed for seed in range(4)}
    published = json.loads((tmp_path / "tuned" / "painter.json").read_text())
    assert [point["chosen"] for point in published["points"]] == [False, True, False]
    assert [point["settings"]["every"] for point in published["points"]] == [3, 1, 2]
    assert published["points"][1]["score"] == 1.0
    assert published["about"] == "mine, 1 items x 4 seeds"
    assert tuned(tmp_path, "painter", grid, published["model"]) == Painter(every=1)
    assert tuned(tmp_path, "painter", grid, "another model") is None
    assert tuned(tmp_path, "another method", grid, published["model"]) is None


@pytest.mark.parametrize(
    "profile", [FLUX_DEV, FLUX_SCHNELL, embedded_profile()], ids=lambda profile: profile.name
)
def test_everybody_has_nine_different_tries(profile: object) -> None:
    assert isinstance(profile, type(FLUX_DEV))
    found = grids(profile, Places(Path("checkpoint"), Path("folder"), "http://127.0.0.1:1"))
    assert {len(grid) for grid in found.values()} == {9}
    assert {len(set(grid)) for grid in found.values()} == {9}
    assert {"addit", "sdedit", "prompt-to-prompt", "flowedit", "erasedraw", "toyland-rival"} <= set(found)


def test_what_is_served_and_what_the_authors_chose_are_among_the_tries() -> None:
    found, served = (
        grids(embedded_profile(), Places()),
        catalogue(embedded_profile(), Places())["addit"].method,
    )
    assert isinstance(served, Addit)
    assert served.real in [each.real for each in found["addit"] if isinstance(each, Addit)]
    published = PromptToPrompt(guidance=served.real.guidance_scale)
    assert published in found["prompt-to-prompt"]
