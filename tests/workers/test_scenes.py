"""Scenes on the embedded model: what an edit does not touch stays exactly as it was, however many follow."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from tests.workers.test_insertion import EXAMPLES
from workers.addit.cast_shadow import shadow_room
from workers.addit.config import PAPER_REAL
from workers.addit.edits import Edit
from workers.addit.errors import UnsupportedOption
from workers.addit.pipeline import insert
from workers.addit.results import Insertion
from workers.models.loading import LoadOptions, load
from workers.models.profiles import embedded_profile
from workers.own_pixels import own_pixels
from workers.scenes import Scene

CONFIG = replace(PAPER_REAL.at_steps(6), strict_background=True)
Step = tuple[Scene, Edit, Insertion]


@pytest.fixture(scope="module")
def steps() -> list[Step]:
    """Two edits, one upon the other: the scene before, the edit, what came out."""
    models = load(embedded_profile(), LoadOptions(device="cpu"))
    picture = np.asarray(Image.open(EXAMPLES / "meadow.png").convert("RGB").resize((128, 128)))
    scene, steps = Scene(picture, "a photo of a meadow"), []
    for subject, left in (("cow", 16), ("dog", 80)):
        mask = torch.zeros(128, 128, dtype=torch.bool)
        mask[64:112, left : left + 32] = True
        prompt = f"a photo of a meadow with a {subject}"
        edit = Edit(scene.source(), prompt, (subject,), (1, 2), CONFIG, mask=mask)
        done = insert(models, edit)
        steps.append((scene, edit, done))
        scene = scene.added(edit, done, row=1)
    return steps


def test_untouched_latents_and_pixels_are_identical_after_every_edit(steps: list[Step]) -> None:
    for before, edit, done in steps:
        after = before.added(edit, done, row=1)
        assert done.cells is not None
        outside = ~shadow_room(done.cells[1] > 0).flatten()
        clean = done.latents[1] if before.latents is None else before.latents[0]
        assert torch.equal(done.latents[1][outside], clean[outside])
        untouched = np.asarray(own_pixels(done, 1, edit.config, (128, 128))) == 0
        assert untouched.any()
        assert not untouched.all()
        assert (after.picture[untouched] == before.picture[untouched]).all()


def test_undo_and_branches_leave_every_scene_as_it_is(steps: list[Step]) -> None:
    (first, edit, done), (second, again, last) = steps
    end = second.added(again, last)
    branch = first.added(edit, done, row=0)
    assert end.undone is second
    assert end.undone.undone is first is first.undone
    assert [scene is other for scene, other in zip(end.history, (first, second, end), strict=True)] == [
        True
    ] * 3
    assert branch.parent is first
    assert [layer.subjects for layer in end.layers] == [("cow",), ("dog",)]
    assert [layer.seed for layer in end.layers] == [2, 1]


def test_a_layer_is_the_subject_alone(steps: list[Step]) -> None:
    second = steps[1][0]
    assert second.layer is not None
    assert second.layer.cutout.mode == "RGBA"
    alpha = np.asarray(second.layer.cutout)[..., 3] > 0
    assert (np.asarray(second.layer.cutout)[..., :3][alpha] == second.picture[alpha]).all()


def test_only_strict_edits_are_built_upon(steps: list[Step]) -> None:
    first, edit, done = steps[0]
    loose = replace(edit, config=replace(CONFIG, strict_background=False))
    with pytest.raises(UnsupportedOption, match="strict background"):
        first.added(loose, done)
