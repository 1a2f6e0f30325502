"""How fast something grows: least squares over means of blocks, with an interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

BLOCKS = 20
STUDENT = 2.101
"""97.5 % quantile of Student's t with BLOCKS - 2 degrees of freedom."""


@dataclass(frozen=True)
class Slope:
    """Growth per unit, and its 95 % interval."""

    value: float
    low: float
    high: float


def slope(at: Sequence[float], values: Sequence[float]) -> Slope:
    """The growth of `values` per unit of `at`, both in time's order.

    Samples close in time are alike, so what is fitted are the means of `BLOCKS` equal stretches: those are
    nearly independent. ValueError: of fewer than `BLOCKS` samples.
    """
    if len(at) < BLOCKS:
        raise ValueError(f"{len(at)} samples are too few, {BLOCKS} are needed")
    x, y = (
        np.array([block.mean() for block in np.array_split(np.asarray(one, float), BLOCKS)])
        for one in (at, values)
    )
    centred = x - x.mean()
    spread = float(centred @ centred)
    value = float(centred @ y) / spread
    left = y - y.mean() - value * centred
    error = STUDENT * float(left @ left / (BLOCKS - 2) / spread) ** 0.5
    return Slope(value, value - error, value + error)
