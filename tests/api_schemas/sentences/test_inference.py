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
from api_schemas.sentences.inference import infer_source, infer_subject, understand
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
    assert infer_subject(source, prompt) == subject


@pytest.mark.parametrize(
    ("source", "prompt", "candidates"),
    [
        ("a beach", "a beach with a dog and a cat", ("dog", "cat")),
        ("a car", "a red car", ()),
        ("a beach with a dog", "a beach", ()),
        ("a beach", "a beach at night", ()),
    ],
)
def test_what_is_not_one_thing_is_said(source: str, prompt: str, candidates: tuple[str, ...]) -> None:
    with pytest.raises(NotInferred) as caught:
        infer_subject(source, prompt)
    assert caught.value.candidates == candidates
    assert all(candidate in str(caught.value) for candidate in candidates)


@pytest.mark.parametrize(
    ("given_texts", "understood"),
    [
        (("a meadow", "add a dog", None), ("a meadow", "a meadow with a dog", "dog")),
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
    found = understand(*given_texts)
    assert (found.source_prompt, found.prompt, found.subject) == understood


@given(
    st.none() | SENTENCES,
    st.one_of(SENTENCES, SENTENCES.map("add {}".format)),
    st.none() | SENTENCES.filter(bool),
)
def test_understanding_twice_changes_nothing(source: str | None, prompt: str, subject: str | None) -> None:
    with suppress(NotInferred):
        once = understand(source, prompt, subject)
        again = understand(once.source_prompt, once.prompt, once.subject)
        assert (again.source_prompt, again.prompt, again.subject) == (
            once.source_prompt,
            once.prompt,
            once.subject,
        )


@given(SENTENCES, st.one_of(SENTENCES, SENTENCES.map("put {}".format)))
def test_an_inferred_subject_stands_in_the_target(source: str, prompt: str) -> None:
    with suppress(NotInferred):
        found = understand(source, prompt, None)
        assert found.subject is not None
        words = [re.findall(r"\w+", text.lower()) for text in (found.prompt, found.subject)]
        assert " ".join(words[1]) in " ".join(words[0])


@given(st.text(max_size=60), st.text(max_size=60), st.none() | st.text(max_size=20))
def test_any_text_is_understood_or_refused(source: str, prompt: str, subject: str | None) -> None:
    for before in (source, None):
        with suppress(NotInferred):
            understand(before, prompt, subject)


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
        if infer_subject(source, target) != added.name:
            wrong.append((source, target))
    assert wrong == []


def test_targets_are_worded_as_the_model_was_trained() -> None:
    for label in LABELS:
        before, added = without_last(label)
        source, target = insertion_prompts(before, added.name, added.zone)
        named = with_article(added.name)
        asked = f"add {named}" if added.host is None else f"give the {label.things[added.host].name} {named}"
        found = understand(source, asked, None)
        assert found.subject == added.name
        if added.host is None:
            assert found.prompt == target
        else:  # a wearer that holds something: either may be told first
            assert sorted(found.prompt.split()) == sorted(target.split())


def test_sources_are_targets_without_their_subject() -> None:
    for label in LABELS:
        before, added = without_last(label)
        source, target = insertion_prompts(before, added.name, added.zone)
        assert infer_source(target, added.name) == source
