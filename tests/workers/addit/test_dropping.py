"""Who goes on: the best of those in which the subject was found, and never nobody."""

from __future__ import annotations

from dataclasses import replace

import torch

from workers.addit.dropping import choose, foresee_located
from workers.addit.localizers import Located
from workers.addit.verdicts import Verdict, foresee

NOWHERE = Verdict("it is nowhere", 0.0)


def seen(confidence: float) -> Verdict:
    """A row in which the subject was found."""
    return Verdict(None, confidence)


def test_the_best_go_on_in_their_order() -> None:
    choice = choose([seen(0.5), seen(0.9), seen(0.2), seen(0.7)], keep_best=2)
    assert choice.kept == (1, 3)
    assert list(choice.dropped) == [0, 2]
    assert (choice.dropped[0].confidence, choice.dropped[2].confidence) == (0.5, 0.2)
    assert choice.dropped[0].reason == "2 of the other seeds promised more"


def test_nobody_goes_on_without_a_subject_though_there_were_room() -> None:
    choice = choose([NOWHERE, seen(0.1), NOWHERE], keep_best=3)
    assert choice.kept == (1,)
    assert dict(choice.dropped) == {0: NOWHERE, 2: NOWHERE}


def test_where_all_are_hopeless_one_goes_on() -> None:
    choice = choose([NOWHERE, NOWHERE], keep_best=2)
    assert choice.kept == (0,)
    assert list(choice.dropped) == [1]


def test_nobody_is_dropped_where_all_are_wanted_and_found() -> None:
    choice = choose([seen(0.1), seen(0.2)], keep_best=5)
    assert choice.kept == (0, 1)
    assert not choice.dropped


def test_where_nobody_looks_the_masks_alone_promise_and_the_least_sure_subject_counts() -> None:
    corner = torch.zeros(4, 4, dtype=torch.bool)
    corner[:2, :2] = True
    one = Located(corner.float(), corner, corner, 0.5)
    surer, nowhere = replace(one, score=0.9), replace(one, missing="it is nowhere")
    assert foresee_located(torch.zeros(1, 16, 4), [(one,)]) == [foresee(one)] == [seen(0.75)]
    assert foresee_located(torch.zeros(2, 16, 4), [(surer, one), (surer, nowhere)]) == [seen(0.75), NOWHERE]
