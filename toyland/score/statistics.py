"""Intervals: what a measured share, mean or ratio may be, given how few items it was measured on."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Z = 1.959964  # standard normal quantile of a two-sided 95 % interval
RESAMPLES = 1000
IDENTICAL = 99.0  # dB, given for pictures that do not differ at all

Rows = list[list[float]]
"""Some numbers for every item."""
Means = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A figure, its 95 % interval and the number of items behind it."""

    value: float
    low: float
    high: float
    count: int


def share(hits: Sequence[bool]) -> Estimate:
    """How many of the items hit, 0..1, with Wilson's interval (sound near 0 and 1 too)."""
    count, value = len(hits), sum(hits) / len(hits)
    centre = value + Z**2 / (2 * count)
    reach = Z * math.sqrt(value * (1 - value) / count + Z**2 / (4 * count**2))
    scale = 1 + Z**2 / count
    return Estimate(value, max(0.0, (centre - reach) / scale), min(1.0, (centre + reach) / scale), count)


def bootstrap(rows: Rows, statistic: Callable[[Means], Means]) -> Estimate:
    """A statistic of the columns' means, with the interval that resampling the items gives.

    rows: k numbers for each of n items; statistic: from means (..., k) to values (...)
    """
    table = np.asarray(rows, np.float64)
    count = len(table)
    draws = np.random.default_rng(0).multinomial(count, np.full(count, 1 / count), size=RESAMPLES)
    low, high = np.quantile(statistic(draws @ table / count), (0.025, 0.975))
    return Estimate(float(statistic(table.mean(0))), float(low), float(high), count)


def mean(values: Sequence[float]) -> Estimate:
    """The mean of one number per item."""
    return bootstrap([[value] for value in values], lambda means: means[..., 0])


def decibels(errors: Sequence[float]) -> Estimate:
    """PSNR in dB of all items together, from each one's mean squared error in grey levels."""
    return bootstrap([[error] for error in errors], lambda means: to_decibels(means[..., 0]))


def f1(counts: Rows) -> Estimate:
    """F1 over all items, from each one's numbers of right, invented and missed things."""

    def statistic(means: Means) -> Means:
        right, invented, missed = (means[..., column] for column in range(3))
        return np.asarray(2 * right / np.maximum(2 * right + invented + missed, 1e-9))

    return bootstrap(counts, statistic)


def to_decibels(error: Means) -> Means:
    """PSNR in dB of mean squared errors in grey levels."""
    least = 255**2 / 10 ** (IDENTICAL / 10)
    return np.asarray(10 * np.log10(255**2 / np.maximum(error, least)))
