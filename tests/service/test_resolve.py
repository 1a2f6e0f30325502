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
    options = request.options.model_dump()
    assert [name for name, value in options.items() if value is None] == ["structure_transfer_t", "keep_best"]
    assert (request.source.width, request.source.height) == (128, 128)  # type: ignore[union-attr]


def test_a_time_replaces_the_presets_step() -> None:
    options = resolved(options={"structure_transfer_t": 0.5}).options
    assert (options.structure_transfer_step, options.structure_transfer_t) == (None, 0.5)


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


SEEING = CARD.model_copy(update={"captioner": True})
UNNAMED = {"kind": "image", "image": {"id": "img_1"}}


@pytest.mark.parametrize(
    ("source", "prompt", "subject", "understood"),
    [
        ("a room", "add a red dog", None, ("a room", "a room with a red dog", "dog")),
        ("a room", "a room with a dog", None, ("a room", "a room with a dog", "dog")),
        (None, "a room with a dog", "dog", ("a room", "a room with a dog", "dog")),
        ("a room", "add a dog and a bed", None, ("a room", "a room with a dog and a bed", ["dog", "bed"])),
        ("a room", "a room with a dog", ["dog"], ("a room", "a room with a dog", "dog")),
        (
            None,
            "a room with a dog and a bed",
            ["bed", "dog"],
            ("a room", "a room with a dog and a bed", ["bed", "dog"]),
        ),
        (None, "add a dog", None, (None, "add a dog", "dog")),
        (None, "a room with a dog", None, (None, "a room with a dog", None)),
    ],
)
def test_what_was_understood_is_echoed(
    source: str | None,
    prompt: str,
    subject: str | list[str] | None,
    understood: tuple[str | list[str] | None, ...],
) -> None:
    request = resolved(SEEING, (64, 64), source={**UNNAMED, "prompt": source}, prompt=prompt, subject=subject)
    assert (request.source.prompt, request.prompt, request.subject) == understood
    assert resolve(request, SEEING, (64, 64), lambda: 7) == request


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"prompt": "add a bed, a dog, a red bed, a dog and a bed", "subject": None}, "subject_not_inferred"),
        ({"prompt": "add a dog and a bed", "subject": ["dog", "red bed"]}, "subject_not_in_prompt"),
        ({"prompt": "add a dog and a bed", "subject": ["dog", "dog"]}, "subject_not_in_prompt"),
        ({"prompt": "add a dog and a zebra", "subject": None}, "unknown_words"),
        ({"prompt": "a red room", "subject": None}, "subject_not_inferred"),
        ({"prompt": "add a zebra", "subject": None}, "unknown_words"),
        ({"prompt": "add a dog", "subject": "bed"}, "subject_not_in_prompt"),
        ({"prompt": "add a dog", "source": UNNAMED}, "source_prompt_required"),
        ({"prompt": "a room with a dog", "subject": None, "source": UNNAMED}, "source_prompt_required"),
        ({"prompt": "add a zebra", "subject": None, "source": UNNAMED}, "unknown_words"),
        ({"prompt": "a room", "source": UNNAMED}, "subject_not_in_prompt"),
        ({"prompt": "add a dog with a bed with a red bed with a red bed with a bed"}, "invalid_request"),
    ],
)
def test_what_is_not_understood_is_refused_at_once(changes: dict[str, object], code: str) -> None:
    with pytest.raises(Refusal) as refusal:
        resolved(CARD, (64, 64), **changes)
    assert refusal.value.code == code


def test_what_may_be_new_is_named_in_the_refusal() -> None:
    with pytest.raises(Refusal, match="'dog', 'bed'") as refusal:
        resolved(prompt="a dog and a bed", subject=None)
    assert refusal.value.data == {"candidates": ["dog", "bed"]}


def test_of_several_subjects_the_one_that_is_not_named_is_told() -> None:
    with pytest.raises(Refusal) as refusal:
        resolved(prompt="a dog with a bed", subject=["dog", "room"])
    assert refusal.value.data == {"subject": "room", "prompt": "a dog with a bed"}
    with pytest.raises(Refusal, match="as often") as refusal:
        resolved(prompt="a dog with a bed", subject=["dog", "dog"])
    assert resolved(prompt="a dog with a dog", subject=["dog", "dog"]).subject == ["dog", "dog"]


def test_texts_may_not_grow_too_long() -> None:
    wide = CARD.model_copy(update={"vocabulary": None})
    room = {**PICTURE, "prompt": "a" + "o" * 1500}
    with pytest.raises(Refusal, match="2000 characters"):
        resolved(wide, (64, 64), source=room, prompt="add a dog in a " + "d" * 600)
    with pytest.raises(Refusal, match="200 characters"):
        resolved(wide, (64, 64), source=room, prompt="add a " + "d" * 300, subject=None)


def test_an_open_vocabulary_knows_all_words() -> None:
    assert resolved(CARD.model_copy(update={"vocabulary": None}), prompt="a zebra and a dog")


def test_a_picture_may_not_be_more_elongated_than_the_model_serves() -> None:
    assert resolved(source=PICTURE, size=(300, 100))
    with pytest.raises(Refusal, match="too elongated"):
        resolved(source=PICTURE, size=(301, 100))


def test_words() -> None:
    assert words("A dog's hot-air Ballön!") == ["a", "dog", "s", "hot", "air", "ballön"]
