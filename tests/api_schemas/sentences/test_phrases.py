"""Noun phrases: where they begin and end, what links them, what they are called."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api_schemas.sentences.phrases import is_framed, new_phrases, noun_phrases

WORDS = "a the dog cat red lying wearing on in next to of with and , . bed glass water man's is quickly"
SENTENCES = st.lists(st.sampled_from(WORDS.split()), max_size=14).map(" ".join)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a photo of a bed in a dark room", [("start", "bed"), ("place", "room")]),
        ("a dog lying on a bed", [("start", "dog"), ("place", "bed")]),
        ("a man wearing a hat and a dog", [("start", "man"), ("verb", "hat"), ("and", "dog")]),
        ("a lamp next to the sofa", [("start", "lamp"), ("place", "sofa")]),
        ("a beach. A cat sleeps on the sand", [("start", "beach"), ("start", "cat"), ("place", "sand")]),
        ("give the man an umbrella", [("start", "give"), ("next", "man"), ("next", "umbrella")]),
        ("There is a small wooden table", [("start", "table")]),
        ("in the picture there is a picture on the wall", [("start", "picture"), ("place", "wall")]),
        ("a cake decorated with cherries", [("start", "cake"), ("with", "cherries")]),
        ("", []),
    ],
)
def test_phrases_and_their_links(text: str, found: list[tuple[str, str]]) -> None:
    assert [(phrase.kind, phrase.head) for phrase in noun_phrases(text)] == found


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("a small red dog", "dog"),
        ("a hot air balloon", "hot air balloon"),
        ("a sleeping cat", "cat"),
        ("a brightly painted vase", "vase"),
        ("a golden retriever", "golden retriever"),
        ("an orange", "orange"),
        ("a glass of cold water", "glass of cold water"),
        ("a picture of the queen", "queen"),
        ("a man with a picture of the queen", "man"),
        ("a wedding ring", "wedding ring"),
    ],
)
def test_a_name_has_no_common_adjectives_but_its_contents(text: str, name: str) -> None:
    assert noun_phrases(text)[0].name == name


def test_a_frame_is_told_from_a_thing() -> None:
    assert is_framed("A wide-angle photo of a beach")
    assert is_framed("there is a dog")
    assert not is_framed("a picture on the wall")
    assert not is_framed("a dog")


@pytest.mark.parametrize(
    ("text", "known", "new"),
    [
        ("a dog with a ball on a rug", "", ["dog"]),
        ("a dog and a cat", "", ["dog", "cat"]),
        ("a dog between the bed and the lamp", "", ["dog"]),
        ("a dog on the bed and a cat", "a bed", ["dog", "cat"]),
        ("a beach at night with a dog, soft light", "a beach", ["dog"]),
        ("a beach under a rainbow", "a beach", ["rainbow"]),
        ("a dog and another dog", "a dog", ["dog"]),
        ("a vase of roses", "a vase", ["roses"]),
        ("a vase of roses", "a vase of roses", []),
        ("the left side at sunset", "", []),
    ],
)
def test_what_is_new(text: str, known: str, new: list[str]) -> None:
    assert [phrase.head for phrase in new_phrases(noun_phrases(text), noun_phrases(known))] == new


@given(SENTENCES)
def test_phrases_come_in_order_and_lie_in_the_text(text: str) -> None:
    at = 0
    for phrase in noun_phrases(text):
        assert at <= phrase.link_start <= phrase.start < phrase.end <= len(text)
        assert text[phrase.start : phrase.end].lower().endswith((phrase.words[-1], phrase.contents or "\0"))
        at = phrase.end


@given(SENTENCES)
def test_nothing_is_new_to_itself(text: str) -> None:
    assert new_phrases(noun_phrases(text), noun_phrases(text)) == []
