"""Blind votes and what they come to."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.votes import Pair, Side, Study, Vote, is_swapped, sides, wilson, win_rates

PAIR = Pair(id="1", first=Side(method="a", image="a.png"), second=Side(method="b", image="b.png"))


def vote(winner: str | None) -> Vote:
    return Vote(pair="1", methods=("a", "b"), winner=winner, voter="v", at=datetime.now(UTC))


def study(folder: Path, count: int) -> Study:
    pairs = [PAIR.model_copy(update={"id": str(number)}).model_dump() for number in range(count)]
    (folder / "pairs.json").write_text(json.dumps(pairs))
    return Study(folder)


def test_the_interval_is_wilsons() -> None:
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)  # Newcombe 1998, method 3
    assert wilson(0, 0) == (0.0, 1.0)


@given(st.integers(1, 500).flatmap(lambda count: st.tuples(st.integers(0, count), st.just(count))))
def test_the_interval_holds_the_share_and_is_mirrored(case: tuple[int, int]) -> None:
    wins, count = case
    low, high = wilson(wins, count)
    assert 0 <= low <= wins / count <= high <= 1
    assert wilson(count - wins, count) == pytest.approx((1 - high, 1 - low))


@given(st.lists(st.sampled_from(["a", "b", None]), min_size=1))
def test_rates_of_two_methods_sum_to_one_and_ties_are_halves(winners: list[str | None]) -> None:
    rates = win_rates(vote(winner) for winner in winners)
    assert sum(one.rate for one in rates) == pytest.approx(1)
    assert all(one.votes == len(winners) for one in rates)
    if not any(winners):
        assert [one.rate for one in rates] == [0.5, 0.5]


def test_sides_change_by_voter_and_stay_for_one() -> None:
    swapped = [is_swapped(PAIR, str(voter)) for voter in range(400)]
    assert 150 < sum(swapped) < 250
    assert sides(PAIR, "v") == sides(PAIR, "v")


@pytest.mark.parametrize("voter", ["v", "w", "x", "y"])
def test_the_side_that_was_seen_is_the_one_that_wins(tmp_path: Path, voter: str) -> None:
    held = study(tmp_path, 1)
    left, right = sides(held.pairs[0], voter)
    assert held.cast("0", "left", voter).winner == left.method
    assert held.cast("0", "right", voter).winner == right.method
    assert held.cast("0", "tie", voter).winner is None
    assert len(held.votes) == 3


def test_each_voter_judges_every_pair_once(tmp_path: Path) -> None:
    held = study(tmp_path, 3)
    for voter in ("v", "w"):
        seen = []
        while pair := held.next_for(voter):
            seen.append(pair.id)
            held.cast(pair.id, "tie", voter)
        assert seen == ["0", "1", "2"]
    with pytest.raises(KeyError):
        held.cast("9", "tie", "v")


def test_an_empty_folder_holds_no_study(tmp_path: Path) -> None:
    assert Study(tmp_path).pairs == []
    assert Study(tmp_path).next_for("v") is None
