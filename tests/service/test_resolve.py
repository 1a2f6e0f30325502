"""What a request becomes against a card."""

from __future__ import annotations

import pytest

from api_schemas.insertions import InsertionRequest
from api_schemas.models import ModelCard
from service.errors import Refusal
from service.resolve import resolve, words
from tests.service.conftest import BODY, CARD

PICTURE = {"kind": "image", "image": {"id": "img_1"}, "prompt": "a room"}


def resolved(
    card: ModelCard = CARD, size: tuple[int, int] | None = None, **changes: object
) -> InsertionRequest:
    return resolve(InsertionRequest.model_validate({**BODY, **changes}), card, size, lambda: 42)


def test_nothing_is_left_open() -> None:
    request = resolved(seeds=[])
    assert (request.preset, request.model, request.seeds) == ("made", "small", [42])
    assert None not in request.options.model_dump().values()
    assert (request.source.width, request.source.height) == (128, 128)  # type: ignore[union-attr]


def test_options_go_over_the_preset() -> None:
    options = resolved(options={"extended_scale": 1.2, "blend_steps": []}).options
    assert (options.extended_scale, options.blend_steps, options.guidance_scale) == (1.2, [], 3.5)


def test_a_presets_steps_move_with_the_number_of_steps_but_asked_ones_stay() -> None:
    preset = CARD.presets["made"]
    assert preset.blend_steps
    assert preset.num_inference_steps
    half = preset.num_inference_steps // 2
    options = resolved(options={"num_inference_steps": half, "structure_transfer_step": 0}).options
    assert options.blend_steps == preset.at_steps(half).blend_steps != preset.blend_steps
    assert options.structure_transfer_step == 0


def test_a_blend_before_the_structure_transfer_is_refused() -> None:
    with pytest.raises(Refusal, match="comes before structure_transfer_step"):
        resolved(options={"structure_transfer_step": 6, "blend_steps": [5]})


@pytest.mark.parametrize(
    ("source", "asked", "strict"),
    [
        (PICTURE, None, True),
        (PICTURE, False, False),
        (BODY["source"], None, False),
        (BODY["source"], True, True),
    ],
)
def test_a_pictures_background_is_strict_by_default(source: object, asked: bool | None, strict: bool) -> None:
    request = resolved(source=source, size=(64, 64), options={"strict_background": asked})
    assert request.options.strict_background is strict


def test_resolving_twice_changes_nothing() -> None:
    once = resolved()
    assert resolve(once, CARD, None, lambda: 7) == once
    assert InsertionRequest.model_validate_json(once.model_dump_json()) == once


@pytest.mark.parametrize("subject", ["dog", "DOG", "a dog", "red dog,"])
def test_subjects_are_whole_words(subject: str) -> None:
    assert resolved(prompt="A dog, with a RED dog.", subject=subject)


@pytest.mark.parametrize("subject", ["do", "og", "dog a", "!", "dog dog"])
def test_other_subjects_are_refused_naming_both(subject: str) -> None:
    with pytest.raises(Refusal) as refusal:
        resolved(prompt="a dog with a dog", subject=subject)
    assert refusal.value.code == "subject_not_in_prompt"
    assert refusal.value.data == {"subject": subject, "prompt": "a dog with a dog"}


def test_an_open_vocabulary_knows_all_words() -> None:
    assert resolved(CARD.model_copy(update={"vocabulary": None}), prompt="a zebra and a dog")


def test_a_picture_may_not_be_more_elongated_than_the_model_serves() -> None:
    assert resolved(source=PICTURE, size=(300, 100))
    with pytest.raises(Refusal, match="too elongated"):
        resolved(source=PICTURE, size=(301, 100))


def test_words() -> None:
    assert words("A dog's hot-air Ballön!") == ["a", "dog", "s", "hot", "air", "ballön"]
