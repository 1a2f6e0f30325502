"""Slopes are those of the naive formula, and their interval holds the true one."""

from __future__ import annotations

import numpy as np
import pytest

from bench.growth import BLOCKS, slope


def test_a_line_has_its_own_slope() -> None:
    at = np.arange(100.0)
    found = slope(at.tolist(), (3 + 0.5 * at).tolist())
    assert (found.value, found.low, found.high) == pytest.approx((0.5, 0.5, 0.5))


def test_the_interval_holds_the_true_slope_nineteen_times_in_twenty() -> None:
    dice, at = np.random.default_rng(0), np.arange(200.0)
    found = [slope(at.tolist(), (0.1 * at + dice.normal(0, 5, 200)).tolist()) for _ in range(400)]
    assert 0.92 < np.mean([one.low <= 0.1 <= one.high for one in found]) < 0.98


def test_few_samples_tell_nothing() -> None:
    with pytest.raises(ValueError, match="too few"):
        slope([1.0] * (BLOCKS - 1), [1.0] * (BLOCKS - 1))
