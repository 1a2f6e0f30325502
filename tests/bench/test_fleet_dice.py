"""What the simulation draws."""

from __future__ import annotations

from itertools import islice, takewhile

import numpy as np
import pytest

from bench.fleet.dice import BLOCK, DAY_SECONDS, Dice
from bench.fleet.job import Traffic


def test_each_stream_goes_on_past_its_block_and_has_its_mean() -> None:
    dice = Dice(0)
    for stream, mean in ((dice.chance, 0.5), (dice.exponential, 1.0), (dice.normal, 0.0)):
        drawn = [stream() for _ in range(5 * BLOCK)]
        assert len(set(drawn)) == len(drawn)
        assert np.mean(drawn) == pytest.approx(mean, abs=0.05)


def test_sessions_come_by_chance_in_order_and_the_same_by_seed() -> None:
    traffic = Traffic(2.0, tenants=4)
    first, again = (list(islice(Dice(1).sessions(traffic), 20_000)) for _ in range(2))
    assert first == again
    gaps = np.diff([at for at, _ in first])
    assert gaps.min() >= 0
    assert gaps.mean() == pytest.approx(0.5, rel=0.05)
    assert gaps.std() == pytest.approx(gaps.mean(), rel=0.05), "exponential"
    shares = np.bincount([tenant for _, tenant in first]) / len(first)
    np.testing.assert_allclose(shares, np.array([1, 1 / 2, 1 / 3, 1 / 4]) / (25 / 12), atol=0.02)


def test_a_rate_that_swings_is_lowest_when_the_day_begins() -> None:
    traffic = Traffic(0.5, swing=0.8)
    day = [at for at, _ in takewhile(lambda each: each[0] < DAY_SECONDS, Dice(2).sessions(traffic))]
    assert len(day) == pytest.approx(0.5 * DAY_SECONDS, rel=0.05)
    found, edges = np.histogram(day, 24, (0, DAY_SECONDS))
    wanted = 0.5 * 3600 * (1 - 0.8 * np.cos(2 * np.pi * (edges[:-1] + 1800) / DAY_SECONDS))
    np.testing.assert_allclose(found, wanted, rtol=0.25)
