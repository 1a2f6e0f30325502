"""Moments in words."""

from __future__ import annotations

import pytest

from api_schemas.estimates import EtaSeconds
from studio.jobs import Moment
from studio.live import bar, sentence


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
