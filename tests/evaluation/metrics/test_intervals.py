"""Intervals hold what they should, and the best of N is what choosing gives."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from evaluation.metrics.intervals import best_of, estimate
from toyland.score.statistics import to_decibels


def test_items_weigh_the_same_however_many_seeds_they_have() -> None:
    found = estimate({"a": [1.0, 1.0, 1.0], "b": [0.0]})
    assert found.value == 0.5
    assert found.count == 4
    assert found.low <= found.value <= found.high


def test_what_never_varies_has_no_width() -> None:
    found = estimate({"a": [0.7, 0.7], "b": [0.7]})
    assert found.low == pytest.approx(found.high)


def test_seeds_widen_the_interval_of_few_items() -> None:
    steady = estimate({name: [0.5, 0.5] for name in "abc"})
    shaky = estimate({name: [0.0, 1.0] for name in "abc"})
    assert shaky.value == steady.value
    assert shaky.high - shaky.low > steady.high - steady.low


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    random = np.random.default_rng(1)
    hits = 0
    for _ in range(100):
        items = {
            str(i): random.normal(level, 1.0, 3).tolist() for i, level in enumerate(random.normal(size=30))
        }
        found = estimate(items)
        hits += found.low <= 0.0 <= found.high
    assert 88 <= hits <= 100


def test_decibels_are_of_the_mean_error() -> None:
    assert estimate({"a": [1.0], "b": [3.0]}, to_decibels).value == pytest.approx(10 * np.log10(255**2 / 2))


def test_best_of_is_the_mean_over_all_choices() -> None:
    seeds = [0.2, 0.9, 0.4, 0.4]
    for tries in range(1, 5):
        naive = np.mean([max(chosen) for chosen in combinations(seeds, tries)])
        (found,) = best_of({"a": seeds, "b": [1.0]}, tries)["a"]
        assert found == pytest.approx(naive)
    assert "b" not in best_of({"a": seeds, "b": [1.0]}, 2)
