"""What happens by chance in the simulation: drawn in blocks, as a draw by itself costs more than its use."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from bench.fleet.job import Traffic

DAY_SECONDS = 86_400.0
BLOCK = 4096

Draws = NDArray[np.float64]


class Dice:
    """chance: of 0..1, evenly; exponential: of mean 1; normal: standard. Each a stream without end."""

    def __init__(self, seed: int) -> None:
        self._source = np.random.default_rng(seed)
        self.chance = _stream(self._source.random)
        self.exponential = _stream(self._source.standard_exponential)
        self.normal = _stream(self._source.standard_normal)

    def sessions(self, traffic: Traffic) -> Iterator[tuple[float, int]]:
        """When each begins and whose it is: a Poisson process, thinned where its rate swings over the day."""
        top = traffic.sessions_per_second * (1 + traffic.swing)
        demand = np.cumsum(1 / np.arange(1, traffic.tenants + 1))
        now = 0.0
        while True:
            at = now + self._source.standard_exponential(BLOCK).cumsum() / top
            now = float(at[-1])
            phase = np.sin(2 * math.pi * at / DAY_SECONDS - math.pi / 2)
            at = at[self._source.random(BLOCK) * (1 + traffic.swing) <= 1 + traffic.swing * phase]
            whose = np.searchsorted(demand, self._source.random(len(at)) * demand[-1], side="right")
            yield from zip(at.tolist(), whose.tolist(), strict=True)


def _stream(draw: Callable[[int], Draws]) -> Callable[[], float]:
    def numbers() -> Iterator[float]:
        while True:
            yield from draw(BLOCK).tolist()

    return numbers().__next__
