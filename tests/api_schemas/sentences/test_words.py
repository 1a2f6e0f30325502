"""Words and articles."""

from __future__ import annotations

import pytest

from api_schemas.sentences.words import split, with_article


def test_words_keep_their_inner_marks_and_places() -> None:
    found = split("The man's T-shirt, left.")
    assert [word.text for word in found] == ["the", "man's", "t-shirt", ",", "left", "."]
    assert all("The man's T-shirt, left."[word.start : word.end].lower() == word.text for word in found)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("dog", "a dog"),
        ("apple", "an apple"),
        ("ufo", "a ufo"),
        ("unicorn", "a unicorn"),
        ("umbrella", "an umbrella"),
        ("hour glass", "an hour glass"),
        ("bus", "a bus"),
        ("glass", "a glass"),
        ("sunglasses", "sunglasses"),
        ("Orange car", "an Orange car"),
    ],
)
def test_articles_follow_the_sound_and_plurals_have_none(name: str, told: str) -> None:
    assert with_article(name) == told
