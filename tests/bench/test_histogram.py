"""The histogram against sorting everything."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bench.histogram import LEAST, RELATIVE_ERROR, Histogram, of


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.95, 0.99, 0.999, 1.0])
def test_percentiles_are_those_of_the_sorted_samples(share: float) -> None:
    samples = sorted(np.random.default_rng(3).lognormal(-4, 2, 5_000).tolist())
    exact = samples[max(1, math.ceil(share * len(samples))) - 1]
    assert of(samples).percentile(share) == pytest.approx(exact, rel=1.001 * RELATIVE_ERROR)


@pytest.mark.parametrize("seconds", [LEAST, 1e-5, 0.001, 0.01, 1.0, 60.0, 3600.0])
def test_one_sample_is_known_to_the_error(seconds: float) -> None:
    assert of([seconds]).percentile(0.5) == pytest.approx(seconds, rel=RELATIVE_ERROR)


def test_mean_most_and_count_are_exact() -> None:
    found = of([0.001, 0.002, 0.006])
    assert (found.count, found.most) == (3, 0.006)
    assert found.mean == pytest.approx(0.003)
    assert found.percentile(1.0) <= found.most


def test_of_nothing_nothing_is_known() -> None:
    assert math.isnan(Histogram().percentile(0.5))
    assert math.isnan(Histogram().mean)


def test_what_is_too_short_counts_as_the_least() -> None:
    assert of([0.0, -1.0]).count == 2
