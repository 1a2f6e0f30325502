"""From what is said to source, target and subject: a table of prompts, Toyland's captions, and properties."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api_schemas.sentences.errors import NotInferred
from api_schemas.sentences.inference import infer_source, infer_subjects, understand
from tests.api_schemas.sentences.test_phrases import SENTENCES
from toyland.belonging import standing_zones
from toyland.captions import HELD_OUT_TEMPLATES, TRAINED_TEMPLATES, caption, insertion_prompts
from toyland.hosts import can_carry
from toyland.label import Label, Thing
from toyland.light import Condition
from toyland.objects import OBJECTS
from toyland.phrases import SCENE_PHRASES, with_article
from toyland.zones import CARRIED, Zone

DRAWN = 600


@pytest.mark.parametrize(
    ("source", "prompt", "subject"),
    [
        ("a bed in a dark room", "a photo of a dog lying on a bed in a dark room", "dog"),
        (
            "A cozy living room with a gray sofa, a wooden coffee table and large windows, natural light",
            "A cozy living room with a gray sofa, a wooden coffee table and large windows, "
            "and a golden retriever sleeping on the rug, natural light",
            "golden retriever",
        ),
        (
            "A portrait photo of a woman standing in a sunflower field, 85mm, shallow depth of field",
            "A portrait photo of a woman wearing a straw hat standing in a sunflower field, 85mm, bokeh",
            "straw hat",
        ),
        ("A cup of coffee on a desk", "A cup of coffee and a croissant on a desk", "croissant"),
        (
            "An empty road through a pine forest in the morning mist",
            "An empty road through a pine forest in the morning mist with a red vintage car driving away",
            "car",
        ),
        (
            "A kitchen counter with a bowl of fruit",
            "A kitchen counter with a bowl of fruit and a glass of orange juice",
            "glass of orange juice",
        ),
        ("A man sitting on a bench", "A man and his dog sitting on a bench", "dog"),
        ("a table", "A table with a birthday cake with candles on it", "birthday cake"),
        (
            "A photograph of a busy street in Tokyo at night, neon signs, rain",
            "A photograph of a busy street in Tokyo at night, neon signs, rain, "
            "with a yellow taxi parked on the left side",
            "taxi",
        ),
        ("a bedroom", "There is a flock of birds flying over a bedroom", "flock of birds"),
        ("A beach at golden hour", "A beach at golden hour. A surfboard is stuck in the sand.", "surfboard"),
        ("a vase on a table", "a vase of bright sunflowers on a table", "sunflowers"),
        ("a dog in a park", "a dog and another dog in a park", "another dog"),
        ("a black dog in a park", "a black dog and a white dog in a park", "white dog"),
        ("a beach", "a beach at night with a dog, cinematic, soft light", "dog"),
        ("a living room with a sofa", "A living room. A cat sleeps on the sofa.", "cat"),
        ("two people by a river", "two people holding an umbrella by a river", "umbrella"),
        (
            "a lake surrounded by mountains",
            "a hot air balloon over a lake surrounded by mountains",
            "hot air balloon",
        ),
        ("a street in Paris", "a street in Paris where a man is riding a bicycle", "man"),
    ],
)
def test_the_subject_is_what_the_target_names_and_the_source_does_not(
    source: str, prompt: str, subject: str
) -> None:
    assert infer_subjects(source, prompt) == (subject,)


@pytest.mark.parametrize(
    ("source", "prompt", "subjects"),
    [
        ("a beach", "a beach with a dog and a cat", ("dog", "cat")),
        ("a beach", "a beach with a dog, a cat and a red ball", ("dog", "cat", "ball")),
        ("a dog on a beach", "a dog and a dog on a beach with a cat", ("dog", "cat")),
        ("a beach", "a beach with a black dog and a white dog", ("black dog", "white dog")),
        ("a beach", "a beach with a dog and another dog", ("dog", "another dog")),
        ("a man on a bench", "a man wearing a hat and holding a flag on a bench", ("hat", "flag")),
        ("a park with a tree", "a park with a tree and a ball and a tent next to the tree", ("ball", "tent")),
    ],
)
def test_several_new_things_are_all_subjects(source: str, prompt: str, subjects: tuple[str, ...]) -> None:
    assert infer_subjects(source, prompt) == subjects


@pytest.mark.parametrize(
    ("source", "prompt", "candidates"),
    [
        ("a bedroom with a bed", "a cosy room and a dog", ("room", "dog")),
        (
            "a beach",
            "a beach with a dog, a cat, a cow, a duck and a pig",
            ("dog", "cat", "cow", "duck", "pig"),
        ),
        ("a car", "a red car", ()),
        ("a beach with a dog", "a beach", ()),
        ("a beach", "a beach at night", ()),
    ],
)
def test_what_is_no_addition_is_said(source: str, prompt: str, candidates: tuple[str, ...]) -> None:
    with pytest.raises(NotInferred) as caught:
        infer_subjects(source, prompt)
    assert caught.value.candidates == candidates
    assert all(candidate in str(caught.value) for candidate in candidates)


@pytest.mark.parametrize(
    ("given_texts", "understood"),
    [
        (("a meadow", "add a dog", None), ("a meadow", "a meadow with a dog", "dog")),
        (("a meadow", "add a dog and a cat", None), ("a meadow", "a meadow with a dog and a cat", "dog+cat")),
        (("a meadow", "a dog and a cat", "dog+cat"), ("a meadow", "a dog and a cat", "dog+cat")),
        ((None, "a dog and a cat", "dog+cat"), (None, "add a dog and a cat", "dog+cat")),
        ((None, "add two dogs, a cat", None), (None, "add two dogs, a cat", "dogs+cat")),
        ((None, "a bed with a dog and a cat", "cat+dog"), ("a bed", "a bed with a dog and a cat", "cat+dog")),
        ((None, "a dog and another dog by a bed", "dog+another dog"),
         ("a bed", "a dog and another dog by a bed", "dog+another dog")),
        (("a park with a tree", "add a ball and a tent next to the tree", None),
         ("a park with a tree", "a park with a tree and a ball and a tent next to the tree", "ball+tent")),
        (("a meadow", "a dog", None), ("a meadow", "a meadow with a dog", "dog")),
        (("a bed", "a dog on the bed", None), ("a bed", "a bed with a dog on the bed", "dog")),
        (("a dog", "add another dog", None), ("a dog", "a dog with another dog", "another dog")),
        (("a bed", "add a dog with a ball", "ball"), ("a bed", "a bed with a dog with a ball", "ball")),
        (("a meadow", "a photo of a dog", "dog"), ("a meadow", "a photo of a dog", "dog")),
        (("a meadow", "a dog", "dog"), ("a meadow", "a dog", "dog")),
        ((None, "a meadow with a dog", "dog"), ("a meadow", "a meadow with a dog", "dog")),
        ((None, "add a dog", None), (None, "add a dog", "dog")),
        ((None, "a dog", "dog"), (None, "add a dog", "dog")),
        ((None, "a meadow with a dog", None), (None, "a meadow with a dog", None)),
    ],
)  # fmt: skip
def test_what_is_missing_is_filled_in(
    given_texts: tuple[str | None, str, str | None], understood: tuple[str | None, str, str | None]
) -> None:
    source, prompt, subjects = given_texts
    found = understand(source, prompt, subjects.split("+") if subjects else ())
    assert (found.source_prompt, found.prompt, "+".join(found.subjects) or None) == understood


@given(
    st.none() | SENTENCES,
    st.one_of(SENTENCES, SENTENCES.map("add {}".format)),
    st.lists(SENTENCES.filter(bool), max_size=2),
)
def test_understanding_twice_changes_nothing(source: str | None, prompt: str, subjects: list[str]) -> None:
    with suppress(NotInferred):
        once = understand(source, prompt, subjects)
        again = understand(once.source_prompt, once.prompt, once.subjects)
        assert (again.source_prompt, again.prompt, again.subjects) == (
            once.source_prompt,
            once.prompt,
            once.subjects,
        )


@given(SENTENCES, st.one_of(SENTENCES, SENTENCES.map("put {}".format)))
def test_inferred_subjects_stand_in_the_target(source: str, prompt: str) -> None:
    with suppress(NotInferred):
        found = understand(source, prompt)
        assert found.subjects
        target, *subjects = (
            " ".join(re.findall(r"\w+", text.lower())) for text in (found.prompt, *found.subjects)
        )
        assert all(subject in target for subject in subjects)


@given(st.text(max_size=60), st.text(max_size=60), st.lists(st.text(max_size=20), max_size=2))
def test_any_text_is_understood_or_refused(source: str, prompt: str, subjects: list[str]) -> None:
    for before in (source, None):
        with suppress(NotInferred):
            understand(before, prompt, subjects)


def draw_label(rng: np.random.Generator) -> Label:
    """Up to three different things where they may be, some told with their colour or size."""
    scene = str(rng.choice(list(SCENE_PHRASES)))
    things = list[Thing]()
    for _ in range(int(rng.integers(1, 4))):
        kind = OBJECTS[int(rng.integers(len(OBJECTS)))]
        zones = standing_zones(kind, scene)
        carriers = [(zone, host) for zone in CARRIED.intersection(kind.zones) for host in free(things, zone)]
        if kind.name in [thing.name for thing in things] or not (zones or carriers):
            continue
        zone, host = carriers[0] if carriers else (zones[0], None)
        words = str(rng.choice(["", "small", "big", *kind.colours]))
        things.append(Thing(kind.name, zone, words, host))
    return Label(scene, tuple(things), list(Condition)[int(rng.integers(len(Condition)))])


def free(things: list[Thing], zone: Zone) -> list[int]:
    taken = {thing.host for thing in things if thing.zone is zone}
    return [i for i, thing in enumerate(things) if can_carry(thing.name, zone) and i not in taken]


LABELS = [label for seed in range(DRAWN) if (label := draw_label(np.random.default_rng(seed))).things]


def without_last(label: Label) -> tuple[Label, Thing]:
    return replace(label, things=label.things[:-1]), label.things[-1]


def test_the_labels_carry_and_place_things() -> None:
    zones = {thing.zone for label in LABELS for thing in label.things}
    assert zones == set(Zone)


def test_the_subject_of_any_two_wordings_is_found() -> None:
    wrong = []
    for seed, label in enumerate(LABELS):
        before, added = without_last(label)
        rng = np.random.default_rng(seed)
        source = caption(before, rng)
        target = caption(label, rng, (*TRAINED_TEMPLATES, *HELD_OUT_TEMPLATES))
        if infer_subjects(source, target) != (added.name,):
            wrong.append((source, target))
    assert wrong == []


def test_targets_are_worded_as_the_model_was_trained() -> None:
    for label in LABELS:
        before, added = without_last(label)
        source, target = insertion_prompts(before, added.name, added.zone)
        named = with_article(added.name)
        asked = f"add {named}" if added.host is None else f"give the {label.things[added.host].name} {named}"
        found = understand(source, asked)
        assert found.subjects == (added.name,)
        if added.host is None:
            assert found.prompt == target
        else:  # a wearer that holds something: either may be told first
            assert sorted(found.prompt.split()) == sorted(target.split())


def test_sources_are_targets_without_their_subject() -> None:
    for label in LABELS:
        before, added = without_last(label)
        source, target = insertion_prompts(before, added.name, added.zone)
        assert infer_source(target, [added.name]) == source


def test_two_things_at_once_are_worded_as_one_after_the_other() -> None:
    for label in LABELS:
        before, second = without_last(label)
        if not before.things or second.host is not None or before.things[-1].host is not None:
            continue
        before, first = without_last(before)
        source, _ = insertion_prompts(before, first.name, first.zone)
        _, target = insertion_prompts(without_last(label)[0], second.name, second.zone)
        found = understand(source, f"add {with_article(first.name)} and {with_article(second.name)}")
        assert found.prompt == target
        assert found.subjects == infer_subjects(source, target) == (first.name, second.name)
        assert infer_source(target, found.subjects) == source
