"""The ladder at work, on outputs that say when the subject appears."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from api_schemas.jobs import Cost, Timings
from workers.addit.config import PAPER_REAL
from workers.addit.edits import Edit, PictureSource
from workers.retrying import with_retries
from workers.runner import DroppedSeeds, OutputImage, RunOutput, none_dropped

PICTURE = Image.new("RGB", (8, 8))
EDIT = Edit(
    PictureSource(np.zeros((8, 8, 3), np.uint8), "a bed"), "a bed with a dog", ("dog",), (7, 9), PAPER_REAL
)


def made(edit: Edit, added: Callable[[Edit, int], bool]) -> RunOutput:
    images = tuple(
        OutputImage(
            PICTURE,
            {
                "seed": seed,
                "subject_found": added(edit, seed),
                "subjects": [{"subject": subject, "found": added(edit, seed)} for subject in edit.subjects],
                "extended_scale": edit.config.extended_scale,
            },
        )
        for seed in edit.seeds
    )
    cost = Cost(forwards=10 * len(edit.seeds), gpu_seconds=1, source_memory="hit", source_memory_bytes=5)
    return RunOutput(images, Timings(denoise=2), cost)


def run(added: Callable[[Edit, int], bool]) -> tuple[RunOutput, list[Edit]]:
    tried: list[Edit] = []

    def attempt(edit: Edit, dropped: DroppedSeeds = none_dropped) -> RunOutput:
        tried.append(edit)
        return made(edit, added)

    return with_retries(made(EDIT, added), EDIT, attempt), tried


def test_what_was_added_is_not_tried_again() -> None:
    output, tried = run(lambda edit, seed: True)
    assert tried == []
    assert [len(image.fields["tries"]) for image in output.images] == [1, 1]  # type: ignore[arg-type]


def test_the_first_rung_that_adds_it_is_the_result_and_all_tries_are_told() -> None:
    output, tried = run(lambda edit, seed: seed == 9 or edit.config.structure_transfer_step == 3)
    first, second = output.images
    assert [edit.seeds for edit in tried] == [(7,), (7,)]
    assert first.fields["subject_found"]
    lacking = {"added": False, "missing": ["dog"]}
    assert first.fields["tries"] == [
        {"seed": 7, "extended_scale": 1.05, "structure_transfer_step": 4} | lacking,
        {"seed": 7, "extended_scale": 1.075, "structure_transfer_step": 4} | lacking,
        {"seed": 7, "extended_scale": 1.075, "structure_transfer_step": 3, "added": True, "missing": []},
    ]
    assert second.fields["seed"] == 9
    assert output.cost.forwards == 20 + 2 * 10
    assert output.timings.denoise == pytest.approx(6)


def test_what_never_appears_stays_the_first_try_after_three_more() -> None:
    output, tried = run(lambda edit, seed: False)
    assert len(tried) == 6
    assert [image.fields["seed"] for image in output.images] == [7, 9]
    assert not any(image.fields["subject_found"] for image in output.images)
    assert all(len(image.fields["tries"]) == 4 for image in output.images)  # type: ignore[arg-type]


def test_of_tries_that_lack_some_subjects_the_one_that_lacks_the_fewest_is_taken() -> None:
    both = replace(EDIT, subjects=("dog", "cat"), seeds=(7,))

    def attempt(edit: Edit, dropped: DroppedSeeds = none_dropped) -> RunOutput:
        output = made(edit, lambda edit, seed: False)
        found = edit.config.structure_transfer_step == 3
        each = [{"subject": "dog", "found": found}, {"subject": "cat", "found": False}]
        (image,) = output.images
        return replace(output, images=(replace(image, fields={**image.fields, "subjects": each}),))

    (image,) = with_retries(attempt(both), both, attempt).images
    tries = image.fields["tries"]
    assert [one["missing"] for one in tries] == [["dog", "cat"]] * 2 + [["cat"]] * 2  # type: ignore[attr-defined]
    assert image.fields["seed"] == 7
    assert not image.fields["subject_found"]


def test_nothing_more_is_tried_for_a_seed_that_is_dropped() -> None:
    tried: list[tuple[int, ...]] = []

    def attempt(edit: Edit, dropped: DroppedSeeds) -> RunOutput:
        tried.append(edit.seeds)
        if edit.seeds == (8,):
            assert dropped() == (8,), "it stands for 7"
            return replace(made(edit, lambda edit, seed: False), images=())
        assert not dropped()
        return made(edit, lambda edit, seed: False)

    output = with_retries(
        made(EDIT, lambda edit, seed: seed == 9), EDIT, attempt, lambda: {7} if len(tried) == 3 else ()
    )
    assert tried == [(7,), (7,), (8,)]
    assert [len(image.fields["tries"]) for image in output.images] == [3, 1]  # type: ignore[arg-type]
    assert output.cost.forwards == 20 + 3 * 10


def test_the_last_rung_is_another_seed() -> None:
    output, tried = run(lambda edit, seed: seed in (8, 9))
    assert [edit.seeds for edit in tried] == [(7,), (7,), (8,)]
    assert [image.fields["seed"] for image in output.images] == [8, 9]
