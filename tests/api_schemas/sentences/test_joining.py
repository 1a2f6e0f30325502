"""Captions with one thing more."""

from __future__ import annotations

import pytest

from api_schemas.sentences.instructions import read_instruction
from api_schemas.sentences.joining import join


@pytest.mark.parametrize(
    ("source", "instruction", "target"),
    [
        ("a meadow", "add a dog", "a meadow with a dog"),
        ("a street with a bus", "add an airplane", "a street with a bus and an airplane"),
        ("a dog on a beach", "add a cat", "a dog on a beach with a cat"),
        ("a room with a lamp on a desk", "add a cat", "a room with a lamp on a desk with a cat"),
        ("A bed with pillows.", "add a cat on the rug", "A bed with pillows and a cat on the rug."),
        (
            "a bedroom at night, warm lamp light, 35mm photo",
            "add a cat",
            "a bedroom at night with a cat, warm lamp light, 35mm photo",
        ),
        ("a man, a woman and a child", "add a dog", "a man, a woman and a child with a dog"),
        (
            "A living room. The walls are white.",
            "add a cat",
            "A living room with a cat. The walls are white.",
        ),
        ("a beach", "add a dog to the beach", "a beach with a dog"),
        ("a beach", "add a dog and a cat", "a beach with a dog and a cat"),
        (
            "a park with a tree",
            "add a red ball and a tent next to the tree",
            "a park with a tree and a red ball and a tent next to the tree",
        ),
        (
            "a man on a bench",
            "give the man a hat and a flag",
            "a man wearing a hat and holding a flag on a bench",
        ),
        (
            "a man in a park",
            "give a flag and a kite to the man",
            "a man holding a flag and holding a kite in a park",
        ),
        (
            "a kitchen with a table",
            "add a candle and a vase to the table",
            "a kitchen with a table and a candle and a vase on the table",
        ),
        (
            "a kitchen with a table",
            "add a candle to the table",
            "a kitchen with a table and a candle on the table",
        ),
        ("a park", "add a tree to the garden", "a park with a tree in the garden"),
        ("a bed", "add a dog to the left of the bed", "a bed with a dog to the left of the bed"),
        ("a man on a bench", "put a hat on the man", "a man wearing a hat on a bench"),
        ("a man on a bench", "put a red hat on the man's head", "a man wearing a red hat on a bench"),
        ("a man holding a flag", "add a hat to the man", "a man wearing a hat and holding a flag"),
        ("a snowman in a field", "give the snowman an umbrella", "a snowman holding an umbrella in a field"),
        ("a beach", "give the man an umbrella", "a beach with an umbrella by the man"),
        ("a bedroom with a bed", "put a hat on the bed", "a bedroom with a bed and a hat on the bed"),
    ],
)
def test_a_thing_joins_a_caption_in_its_own_way(source: str, instruction: str, target: str) -> None:
    asked = read_instruction(instruction)
    assert asked is not None
    assert join(source, asked) == target
