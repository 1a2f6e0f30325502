"""Intervals hold what they should, and say how little a few items tell."""

import numpy as np
import pytest

from toyland.score.statistics import IDENTICAL, decibels, f1, mean, share


def test_wilson_gives_the_textbook_interval() -> None:
    estimate = share([True] * 9 + [False])
    assert estimate.value == pytest.approx(0.9)
    assert (estimate.low, estimate.high) == pytest.approx((0.5958, 0.9821), abs=1e-4)


@pytest.mark.parametrize("hit", [True, False])
def test_a_share_of_all_or_none_still_has_an_interval(hit: bool) -> None:
    estimate = share([hit] * 20)
    assert estimate.high - estimate.low > 0.1
    assert 0 <= estimate.low <= estimate.value <= estimate.high <= 1


def test_more_items_tell_more() -> None:
    few, many = share([True, False] * 10), share([True, False] * 1000)
    assert many.high - many.low < few.high - few.low


def test_a_mean_covers_its_truth_about_as_often_as_it_says() -> None:
    random = np.random.default_rng(0)
    estimates = [mean(random.normal(3, 1, 60).tolist()) for _ in range(60)]
    assert 52 <= sum(estimate.low <= 3 <= estimate.high for estimate in estimates) <= 60


def test_decibels_are_of_all_pixels_together() -> None:
    assert decibels([1.0, 3.0]).value == pytest.approx(10 * np.log10(255**2 / 2))
    assert decibels([0.0, 0.0]).value == pytest.approx(IDENTICAL)


def test_f1_counts_over_all_pictures() -> None:
    estimate = f1([[2, 0, 0], [1, 1, 1]])
    assert estimate.value == pytest.approx(2 * 3 / (2 * 3 + 1 + 1))
    assert estimate.low < estimate.value < estimate.high
