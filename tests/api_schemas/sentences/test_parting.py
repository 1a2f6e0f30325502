"""Captions with one thing less."""

from __future__ import annotations

import pytest

from api_schemas.sentences.inference import infer_source


@pytest.mark.parametrize(
    ("prompt", "subject", "before"),
    [
        ("a bedroom with a bed and a cat", "cat", "a bedroom with a bed"),
        ("a bedroom with a cat and a bed", "cat", "a bedroom with a bed"),
        ("a beach, and the red balloon", "red balloon", "a beach"),
        ("a photo of a dog lying on a bed in a dark room", "dog", "a photo of a bed in a dark room"),
        ("a dog and a cat on a beach", "dog", "a cat on a beach"),
        ("a man and his dog sitting on a bench in a park", "dog", "a man sitting on a bench in a park"),
        ("a cat wearing sunglasses sitting on a windowsill", "sunglasses", "a cat sitting on a windowsill"),
        ("a man wearing a hat and holding a flag", "hat", "a man holding a flag"),
        ("a snowy field with a red cabin in the foreground at sunset", "cabin", "a snowy field at sunset"),
        ("a table with a cake with candles on it", "cake", "a table"),
        ("A beach at dusk. A surfboard is stuck in the sand.", "surfboard", "A beach at dusk."),
        ("a street with a taxi parked on the left side, rain", "taxi", "a street, rain"),
        ("there is a dog on a beach", "dog", "there is a beach"),
        ("a cat", "cat", None),
        ("a dog wearing a hat", "dog", None),
        ("a category", "cat", None),
        ("a beach", "dog", None),
    ],
)
def test_the_subject_is_taken_out_of_the_sentence(prompt: str, subject: str, before: str | None) -> None:
    assert infer_source(prompt, [subject]) == before
