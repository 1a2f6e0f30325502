"""What a key makes once leaves nothing of what was prepared for a repetition."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from job_store.errors import IdempotencyKeyReused
from service.once import make_once


@dataclass(frozen=True)
class Thing:
    id: str


def test_what_is_made_stays() -> None:
    taken_back: list[str] = []
    made = make_once("new", lambda: Thing("new"), lambda: taken_back.append("new"))
    assert (made, taken_back) == ((Thing("new"), True), [])


def test_of_a_repetition_the_earlier_is_given_and_nothing_left() -> None:
    taken_back: list[str] = []
    made = make_once("new", lambda: Thing("earlier"), lambda: taken_back.append("new"))
    assert (made, taken_back) == ((Thing("earlier"), False), ["new"])


def test_a_key_used_for_something_else_leaves_nothing_either() -> None:
    taken_back: list[str] = []

    def reused() -> Thing:
        raise IdempotencyKeyReused("k")

    with pytest.raises(IdempotencyKeyReused):
        make_once("new", reused, lambda: taken_back.append("new"))
    assert taken_back == ["new"]
