"""Toyland's captions: grammar, who carries what, and the shipped judges on the shipped examples."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from client.examples import Example, examples
from toyland.workshop import SHIPPED
from workers.models.profiles import find_profile
from workers.models.toyland.captioner import (
    Box,
    Guess,
    ToylandCaptioner,
    bearer_of,
    is_in_hand,
    is_on_head,
    read_grammar,
    resized,
    worded,
)
from workers.models.toyland.detector import Detection

GRAMMAR = read_grammar(SHIPPED / "grammar.json")
MAN = Detection("man", 0.9, (100.0, 100.0, 140.0, 200.0))
HAT = Detection("hat", 0.9, (105.0, 70.0, 135.0, 108.0))
FLAG = Detection("flag", 0.9, (135.0, 90.0, 170.0, 160.0))


@pytest.fixture(scope="module")
def captioner() -> ToylandCaptioner:
    return ToylandCaptioner(SHIPPED)


def test_it_uses_only_words_that_the_model_knows() -> None:
    words = " ".join(["a photo of", "with and wearing holding", *GRAMMAR.scenes, *GRAMMAR.things.values()])
    assert set(words.split()) <= set(find_profile("toyland").vocabulary or ())
    assert set(GRAMMAR.things) == set(find_profile("toyland").subjects or ())


@pytest.mark.parametrize(
    ("things", "caption"),
    [
        ((), "a photo of a beach"),
        ((MAN,), "a photo of a beach with a man"),
        ((HAT, MAN), "a photo of a beach with a man wearing a hat"),
        ((MAN, HAT, FLAG), "a photo of a beach with a man wearing a hat and holding a flag"),
        ((HAT, FLAG), "a photo of a beach with a hat and a flag"),
    ],
)
def test_what_is_carried_is_told_with_its_bearer(things: tuple[Detection, ...], caption: str) -> None:
    assert worded(Guess("a beach", things, 0.0), GRAMMAR) == caption


def test_only_who_has_a_head_or_a_hand_carries() -> None:
    tree = Detection("tree", 0.9, MAN.box)
    assert bearer_of(HAT, [HAT, MAN], GRAMMAR) == "man"
    assert bearer_of(HAT, [HAT, tree], GRAMMAR) is None
    assert bearer_of(FLAG, [FLAG, Detection("dog", 0.9, MAN.box)], GRAMMAR) is None


@pytest.mark.parametrize(
    ("box", "on_head"),
    [((105, 70, 135, 108), True), ((105, 160, 135, 198), False), ((10, 70, 40, 108), False)],
)
def test_a_hat_sits_at_the_top(box: Box, on_head: bool) -> None:
    assert is_on_head(box, MAN.box) is on_head


@pytest.mark.parametrize(
    ("box", "in_hand"),
    [((135, 90, 170, 160), True), ((135, 150, 170, 205), False), ((150, 90, 180, 160), False)],
)
def test_what_is_held_touches_and_does_not_stand(box: Box, in_hand: bool) -> None:
    assert is_in_hand(box, MAN.box) is in_hand


@pytest.mark.parametrize("size", [(256, 256), (512, 512), (97, 131), (200, 600), (30, 7)])
def test_pictures_come_to_the_worlds_size(size: tuple[int, int]) -> None:
    shown = resized(np.zeros((*size, 3), np.uint8), GRAMMAR.side)
    assert all(pixels % 32 == 0 and pixels > 0 for pixels in shown.shape[:2])
    assert 0.6 < shown.shape[0] * shown.shape[1] / GRAMMAR.side**2 < 1.6


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.file)
def test_the_examples_are_captioned_as_their_authors_did(
    captioner: ToylandCaptioner, example: Example
) -> None:
    shown = np.asarray(Image.open(example.path).convert("RGB"))
    assert captioner(shown) == example.source_prompt
