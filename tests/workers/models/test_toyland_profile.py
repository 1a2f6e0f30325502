"""What Toyland's profile says is what its world and its weights are."""

from __future__ import annotations

from toyland.objects import OBJECTS
from workers.models.profiles import find_profile

TOYLAND = find_profile("toyland")


def test_it_adds_exactly_the_objects_of_its_world() -> None:
    assert set(TOYLAND.subjects or ()) == {kind.name for kind in OBJECTS}


def test_it_knows_the_words_of_its_subjects_and_of_its_canary() -> None:
    words = {word for text in TOYLAND.canary for word in text.split()}
    assert words | set(TOYLAND.subjects or ()) <= set(TOYLAND.vocabulary or ())


def test_it_is_the_embedded_model() -> None:
    assert find_profile("embedded") is TOYLAND
