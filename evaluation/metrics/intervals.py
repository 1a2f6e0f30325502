"""Estimates over items and seeds: both are drawn again, since items differ and so do a method's tries."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import comb

import numpy as np

from toyland.score.statistics import RESAMPLES, Estimate, Means

Values = Mapping[str, Sequence[float]]
"""By item, one number for each of its seeds."""


def itself(means: Means) -> Means:
    """The mean, for figures that are no more than one."""
    return means


def estimate(values: Values, statistic: Callable[[Means], Means] = itself) -> Estimate:
    """A statistic of the mean over items of the means over their seeds, with the 95 % interval of a bootstrap
    of two levels: items with replacement, then seeds of each drawn item with replacement."""
    random = np.random.default_rng(0)
    table = np.stack([_resampled(np.asarray(each, np.float64), random) for each in values.values()])
    drawn = random.integers(len(table), size=(RESAMPLES, len(table)))
    means = table[drawn, np.arange(RESAMPLES)[:, None]].mean(1)
    low, high = np.quantile(statistic(means), (0.025, 0.975))
    count = sum(map(len, values.values()))
    return Estimate(float(statistic(np.asarray(centre(values)))), float(low), float(high), count)


def centre(values: Values) -> float:
    """The mean over items of the means over their seeds."""
    return float(np.mean([np.mean(each) for each in values.values()]))


def _resampled(seeds: Means, random: np.random.Generator) -> Means:
    """(RESAMPLES,) means of an item's seeds, drawn with replacement."""
    return np.asarray(seeds[random.integers(len(seeds), size=(RESAMPLES, len(seeds)))].mean(1))


def best_of(values: Values, tries: int) -> Values:
    """By item, the mean over all choices of `tries` of its seeds of the best one's value: what somebody gets
    who may choose. Items with fewer seeds are left out."""
    return {name: [_expected_best(each, tries)] for name, each in values.items() if len(each) >= tries}


def _expected_best(seeds: Sequence[float], tries: int) -> float:
    ordered, count = sorted(seeds), len(seeds)
    return sum(value * comb(at, tries - 1) for at, value in enumerate(ordered)) / comb(count, tries)
