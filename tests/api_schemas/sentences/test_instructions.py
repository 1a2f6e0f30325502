"""What counts as an instruction, what it adds, and what is told of the others."""

from __future__ import annotations

import pytest

from api_schemas.sentences.errors import NotInferred
from api_schemas.sentences.instructions import read_instruction, read_thing


@pytest.mark.parametrize(
    ("prompt", "thing", "name"),
    [
        ("add a dog", "a dog", "dog"),
        ("Add dog!", "a dog", "dog"),
        ("please add a big red dog.", "a big red dog", "dog"),
        ("Can you add two cats, please?", "two cats", "cats"),
        ("I'd like a vase on the table", "a vase on the table", "vase"),
        ("insert an umbrella into the picture", "an umbrella", "umbrella"),
        ("add a dog to the left of the bed", "a dog to the left of the bed", "dog"),
        ("add a cup next to the laptop", "a cup next to the laptop", "cup"),
        ("put on the table a cup", "a cup on the table", "cup"),
        ("put a box onto the shelf", "a box on the shelf", "box"),
        ("hang a painting on the wall", "a painting on the wall", "painting"),
        ("add a dog sleeping on the rug there", "a dog sleeping on the rug", "dog"),
        ("add a bouquet of roses", "a bouquet of roses", "bouquet of roses"),
        ("please, a dog", "a dog", "dog"),
        ("give the man an umbrella", "an umbrella", "umbrella"),
        ("give a hat to the man", "a hat", "hat"),
    ],
)
def test_what_is_added(prompt: str, thing: str, name: str) -> None:
    instruction = read_instruction(prompt)
    assert instruction is not None
    assert (instruction.thing, [one.name for one in instruction.things()]) == (thing, [name])


@pytest.mark.parametrize(
    "prompt",
    [
        "a photo of a dog on a bed",
        "Park bench in autumn",
        "hang glider over a valley",
        "Additional light falls on a desk",
        "drop of water on a leaf",
        "giving a speech",
    ],
)
def test_descriptions_are_no_instructions(prompt: str) -> None:
    assert read_instruction(prompt) is None


@pytest.mark.parametrize("prompt", ["add", "put", "add something", "remove the dog", "make it night"])
def test_other_instructions_are_refused(prompt: str) -> None:
    with pytest.raises(NotInferred):
        read_instruction(prompt)


@pytest.mark.parametrize(
    ("prompt", "names"),
    [
        ("add a dog and a cat", ["dog", "cat"]),
        ("add a red ball and a tent next to the tree", ["ball", "tent"]),
        ("put a cup, a plate and a fork on the table", ["cup", "plate", "fork"]),
        ("add a dog with a ball and a cat", ["dog", "cat"]),
    ],
)
def test_several_things_may_be_added(prompt: str, names: list[str]) -> None:
    instruction = read_instruction(prompt)
    assert instruction is not None
    assert [thing.name for thing in instruction.things()] == names


@pytest.mark.parametrize(
    ("prompt", "candidates"),
    [
        ("add a dog, a cat, a cow, a duck and a pig", ("dog", "cat", "cow", "duck", "pig")),
        ("give him a hat", ()),
        ("add at night", ()),
    ],
)
def test_at_least_one_thing_is_added_and_not_too_many(prompt: str, candidates: tuple[str, ...]) -> None:
    instruction = read_instruction(prompt)
    assert instruction is not None
    with pytest.raises(NotInferred) as caught:
        instruction.things()
    assert caught.value.candidates == candidates


@pytest.mark.parametrize(
    "prompt", ["a dog", "dog", "a dog on the bed", "a dog with a hat", "a dog wearing a hat"]
)
def test_a_lone_thing_may_be_meant_as_an_addition(prompt: str) -> None:
    instruction = read_thing(prompt)
    assert instruction is not None
    assert [thing.name for thing in instruction.things()] == ["dog"]


@pytest.mark.parametrize("prompt", ["a photo of a dog", "a dog on a beach", "a dog and a cat", "the dog", ""])
def test_more_than_a_thing_describes_a_picture(prompt: str) -> None:
    assert read_thing(prompt) is None
