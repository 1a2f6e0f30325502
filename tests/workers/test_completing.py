"""Texts that only the picture can tell."""

from __future__ import annotations

import pytest
from PIL import Image

from api_schemas.insertions import MAX_PROMPT, InsertionRequest
from api_schemas.jobs import Inferred
from workers.addit.errors import UnsupportedOption
from workers.addit.localizers import Picture
from workers.addit.models import Captioner
from workers.completing import complete
from workers.runner import RunError

PICTURE = Image.new("L", (20, 10))


def request(**texts: object) -> InsertionRequest:
    source = {"kind": "image", "image": {"id": "img_1"}, "prompt": texts.pop("source_prompt", None)}
    return InsertionRequest.model_validate({"source": source, **texts})


def saying(caption: str) -> Captioner:
    def captioner(picture: Picture) -> str:
        assert picture.shape == (10, 20, 3)
        return caption

    return captioner


def test_the_caption_completes_an_instruction() -> None:
    completed, inferred = complete(request(prompt="add a dog", subject="dog"), PICTURE, saying(" A beach. "))
    assert inferred == Inferred(source_prompt="A beach.", prompt="A beach with a dog.", subject="dog")
    assert (completed.source.prompt, completed.prompt) == ("A beach.", "A beach with a dog.")


def test_the_caption_tells_the_subject_of_a_target() -> None:
    _, inferred = complete(request(prompt="a beach with a dog"), PICTURE, saying("a sandy beach"))
    assert inferred == Inferred(source_prompt="a sandy beach", prompt="a beach with a dog", subject="dog")


def test_what_is_complete_stays_and_nobody_looks() -> None:
    asked = request(source_prompt="a beach", prompt="a beach with a dog", subject="dog")
    assert complete(asked, PICTURE, None) == (asked, None)


def test_a_long_caption_is_cut() -> None:
    completed, _ = complete(request(prompt="a", subject="a"), PICTURE, saying("beach " * MAX_PROMPT))
    assert len(completed.source.prompt or "") == MAX_PROMPT


def broken(picture: Picture) -> str:
    raise UnsupportedOption("no such model")


@pytest.mark.parametrize("captioner", [None, saying("  "), broken])
def test_nobody_who_can_tell_is_said(captioner: Captioner | None) -> None:
    with pytest.raises(RunError) as caught:
        complete(request(prompt="add a dog"), PICTURE, captioner)
    assert caught.value.code == "source_prompt_required"


def test_a_subject_that_the_caption_leaves_open_is_said() -> None:
    with pytest.raises(RunError) as caught:
        complete(request(prompt="a beach with a dog and a cat"), PICTURE, saying("a lake with trees"))
    assert caught.value.code == "subject_not_inferred"
    assert caught.value.data == {"candidates": ["beach", "cat"]}


def test_the_caption_tells_several_subjects() -> None:
    for prompt in ("a beach with a dog and a cat", "add a dog and a cat"):
        completed, inferred = complete(request(prompt=prompt), PICTURE, saying("a beach"))
        assert inferred is not None
        assert completed.subject == inferred.subject == ["dog", "cat"]
        assert completed.prompt == "a beach with a dog and a cat"
