"""How right a choice of seeds is, on scenes whose outcome is known."""

from __future__ import annotations

from itertools import combinations

import pytest

from toyland.score.dropping import Seed, kept_added, picked_added, ranked_right, rate

SCENES = [
    [Seed({"sign": promise}, added) for promise, added in scene]
    for scene in (
        [(0.9, True), (0.5, False), (0.5, True), (0.1, False)],
        [(0.9, False), (0.8, True), (0.1, False), (0.0, False)],
        [(0.3, False), (0.2, False), (0.1, False), (0.0, False)],
    )
]


def test_pairs_are_of_one_scene_and_equal_promises_count_half() -> None:
    assert ranked_right(SCENES, "sign") == pytest.approx((1 + 1 + 0.5 + 1 + 0 + 1 + 1) / 7)


def test_the_best_are_those_that_promised_most() -> None:
    assert kept_added(SCENES, "sign", 1) == pytest.approx(1 / 3)
    assert kept_added(SCENES, "sign", 2) == pytest.approx(2 / 3)


def test_a_random_pick_is_the_mean_of_all_picks() -> None:
    for keep in (1, 2, 4):
        picks = [[any(s.added for s in pick) for pick in combinations(scene, keep)] for scene in SCENES]
        expected = sum(sum(each) / len(each) for each in picks) / len(SCENES)
        assert picked_added(SCENES, keep) == pytest.approx(expected)


def test_the_table_has_chance_and_the_ceiling_beside_every_sign() -> None:
    rated = rate(SCENES)
    assert list(rated) == ["sign", "at random", "all finished"]
    assert rated["all finished"] == pytest.approx({"best_one": 2 / 3, "best_two": 2 / 3})
