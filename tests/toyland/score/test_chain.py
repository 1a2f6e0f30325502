"""Chains: ten different things that can stand in the scene, and a strict account of untouched pixels."""

import numpy as np
import pytest
from PIL import Image

from toyland.held_out import HELD_OUT_PAIRS
from toyland.score.chain import (
    EDITS,
    SCENES,
    WAYS,
    chain_sample,
    chain_subjects,
    kept,
    said,
    summary,
    through_png,
)
from toyland.world import World
from workers.addit.config import PAPER_REAL


@pytest.mark.parametrize("number", range(len(SCENES)))
def test_ten_different_things_find_a_place_in_every_scene(world: World, number: int) -> None:
    sample = chain_sample(world, number)
    subjects = [subject for subject, _ in chain_subjects(world, sample)]
    assert len(set(subjects)) == len(subjects) == EDITS
    assert not {(subject, sample.scene) for subject in subjects} & HELD_OUT_PAIRS
    assert subjects == [subject for subject, _ in chain_subjects(world, chain_sample(world, number))]


def test_only_scenes_keep_shadows_and_names_differ() -> None:
    configs = {way.name: way.config(PAPER_REAL) for way in WAYS}
    assert len(configs) == len(WAYS)
    for way in WAYS:
        assert configs[way.name].strict_background == way.strict
        assert configs[way.name].keep_shadow == (way.carried == "scene")


def test_only_untouched_pixels_count(world: World) -> None:
    sample = chain_sample(world, 0)
    picture, touched = np.array(sample.picture), np.zeros((256, 256), bool)
    picture[:10] ^= 255
    touched[:10] = True
    assert kept(sample, picture, touched) == {"error": 0.0, "identical": True, "untouched": 246 / 256}
    picture[20, 20] ^= 1
    assert not kept(sample, picture, touched)["identical"]


def test_nothing_untouched_is_no_error(world: World) -> None:
    sample = chain_sample(world, 0)
    everything = np.ones((256, 256), bool)
    assert kept(sample, np.array(sample.picture), everything)["error"] is None


def test_a_png_between_changes_no_pixel() -> None:
    picture = np.asarray(Image.effect_noise((32, 32), 50).convert("RGB"))
    assert (through_png(picture) == picture).all()


def test_chains_are_summed_up_edit_by_edit() -> None:
    def record(error: float, added: bool) -> dict[str, object]:
        edit = {"subject": "cow", "added": added, "error": error, "identical": error == 0, "untouched": 0.5}
        return {"edits": [edit] * EDITS, "there": [added] * EDITS}

    values = summary([record(0.0, True), record(130.05, False)])
    assert values["psnr"] == [pytest.approx(30, abs=0.01)] * EDITS
    assert values["identical"] == [False] * EDITS
    assert values["added"] == values["there"] == EDITS / 2


def test_an_edit_is_said_in_few_words() -> None:
    assert said({"subject": "cow", "added": True}) == "+ cow"
    assert said({"subject": "cow", "added": False}) == "(cow: not added)"
