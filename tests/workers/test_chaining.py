"""A scene across jobs, on the embedded model: three edits, each from the files of the one before."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from api_schemas.insertions import InsertionRequest
from runtime.settings import Settings
from tests.workers.test_insertion import EXAMPLES, ignore
from workers.compositing import psnr
from workers.insertion import AdditRunner, load_runner
from workers.latent_files import pack, unpack
from workers.runner import OutputImage, Place, RunOutput

SUBJECTS = ("cow", "dog", "cat")
IN_SCENE, NEXT = Place(in_scene=True), Place(in_scene=True, continues=True)


def edit(shown: str, number: int) -> InsertionRequest:
    left = 8 + 40 * number
    return InsertionRequest.model_validate(
        {
            "source": {"kind": "image", "image": {"id": "img_1"}, "prompt": shown},
            "prompt": f"a photo of a meadow with a {SUBJECTS[number]}",
            "subject": SUBJECTS[number],
            "region": {"box": [left, 60, left + 36, 116]},
            "seeds": [number],
            "options": {"strict_background": True, "num_inference_steps": 6},
        }
    )


@pytest.fixture(scope="module")
def runner() -> AdditRunner:
    return load_runner(Settings(device="cpu", threads=1))


@pytest.fixture(scope="module")
def meadow() -> Image.Image:
    return Image.open(EXAMPLES / "meadow.png").convert("RGB").resize((150, 140))


@pytest.fixture(scope="module")
def steps(runner: AdditRunner, meadow: Image.Image) -> list[OutputImage]:
    """What each edit made of the one before."""
    made, picture, shown, place = list[OutputImage](), meadow, "a photo of a meadow", IN_SCENE
    for number in range(3):
        request = edit(shown, number)
        output = runner.run(request, picture, ignore, place=place)
        assert not output.warnings or {it.code for it in output.warnings} <= {"subject_not_found"}
        (image,) = output.images
        assert image.latents is not None
        made.append(image)
        picture, shown = image.image, request.prompt
        place = replace(NEXT, latents=unpack(pack(image.latents)))
    return made


def test_what_no_edit_touched_is_the_first_picture_bit_for_bit(
    meadow: Image.Image, steps: list[OutputImage]
) -> None:
    pictures = [np.asarray(picture) for picture in (meadow, *(step.image for step in steps))]
    touched = np.zeros(pictures[0].shape[:2], dtype=bool)
    for before, after in zip(pictures, pictures[1:], strict=False):
        changed = (before != after).any(axis=-1)
        assert changed.any()
        touched |= changed
    assert not touched.all()
    assert (pictures[-1][~touched] == pictures[0][~touched]).all()


def test_latents_go_on_where_nothing_was_added(steps: list[OutputImage]) -> None:
    first, *later = (step.latents for step in steps)
    assert first is not None
    for one in later:
        assert one is not None
        same = (one == first).all(axis=-1)
        assert same.mean() > 0.4, "of the cells"
        assert not same.all()


def test_without_latents_the_picture_is_encoded_and_said_to_be(
    runner: AdditRunner,
    steps: list[OutputImage],
) -> None:
    def again(place: Place) -> RunOutput:
        return runner.run(edit("a photo of a meadow with a cow", 1), steps[0].image, ignore, place=place)

    for place in (NEXT, replace(NEXT, latents=np.zeros((3, 3), np.float16))):
        output = again(place)
        assert "encoded_anew" in {warning.code for warning in output.warnings}
        picture = np.asarray(output.images[0].image)
        assert psnr(picture, np.asarray(steps[1].image)) > 25
    known = again(replace(NEXT, latents=steps[0].latents))
    assert np.array_equal(np.asarray(known.images[0].image), np.asarray(steps[1].image))
    assert "encoded_anew" not in {warning.code for warning in known.warnings}


def test_latents_are_given_back_of_scenes_alone(
    runner: AdditRunner,
    meadow: Image.Image,
) -> None:
    output = runner.run(edit("a photo of a meadow", 0), meadow, ignore)
    assert output.images[0].latents is None
    request = edit("a photo of a meadow", 0).model_copy(update={"if_not_added": "retry", "seeds": [1, 2]})
    retried = runner.run(request, meadow, ignore, place=IN_SCENE)
    assert all(image.latents is not None for image in retried.images)
