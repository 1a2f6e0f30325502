"""Moments in words."""

from __future__ import annotations

import pytest

from api_schemas.estimates import EtaSeconds
from api_schemas.events import Preview
from studio.jobs import Moment
from studio.live import bar, sentence, variations


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (Moment("i"), "Waiting for a worker"),
        (Moment("i", position=0), "Next in line"),
        (Moment("i", position=1), "1 job before yours"),
        (
            Moment("i", position=4, eta=EtaSeconds(p50=3.2, p90=8.8)),
            "4 jobs before yours, done in about 3 s, rarely over 9 s",
        ),
        (
            Moment("i", status="running", stage="denoise", step=3, total=26),
            "Forming the object, step 3 of 26",
        ),
        (Moment("i", status="running", stage="upload", step=1, total=2), "Storing the pictures"),
    ],
)
def test_a_moment_in_words(moment: Moment, words: str) -> None:
    assert sentence(moment) == words


def test_the_bar_tells_how_far_only_what_runs_is() -> None:
    assert 'value="40"' in bar(Moment("i", status="running", stage="denoise", percent=40.2))
    assert "value=" not in bar(Moment("i"))


def formed(*seeds: int, dropped: frozenset[int] = frozenset()) -> Moment:
    previews = {
        index: Preview(number=0, index=index, seed=seed, step=3, url=f"/{seed}")
        for index, seed in enumerate(seeds)
    }
    return Moment("i", previews=previews, dropped=dropped)


def test_each_seed_that_has_formed_so_far_can_be_let_go() -> None:
    found = variations(formed(7, 8), 4)
    assert [(one.index, one.link, one.button) for one in found] == [
        (0, "/7", "Let go of seed 7"),
        (1, "/8", "Let go of seed 8"),
    ]
    assert not any(one.is_gone for one in found)


def test_one_that_was_let_go_says_so() -> None:
    first, second = variations(formed(7, 8, dropped=frozenset({8})), 2)
    assert (second.is_gone, second.button, second.told) == (True, "Seed 8 let go", "Seed 8, let go")
    assert (first.is_gone, first.told) == (False, "Seed 7 as it forms")


def test_a_single_seed_is_stopped_not_let_go() -> None:
    assert variations(formed(7), 1)[0].button == ""
