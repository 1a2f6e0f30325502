"""How long things took, in buckets that grow by a constant factor: any number of samples in little memory,
each known to half a percent (the idea of HdrHistogram, hdrhistogram.org)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

RELATIVE_ERROR = 0.005
"""At most, of any percentile, from `LEAST` on."""
LEAST = 1e-6
_FACTOR = math.log((1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR))


@dataclass
class Histogram:
    """Of seconds. What is below a microsecond counts as one."""

    count: int = 0
    total: float = 0.0
    most: float = 0.0
    _buckets: Counter[int] = field(default_factory=Counter)

    def record(self, seconds: float) -> None:
        """One sample."""
        self.count += 1
        self.total += seconds
        self.most = max(self.most, seconds)
        self._buckets[_bucket(seconds)] += 1

    def percentile(self, share: float) -> float:
        """The value that `share` (0..1) of the samples do not exceed, nearest rank; nan of none."""
        rank, seen = max(1, math.ceil(share * self.count)), 0
        for bucket in sorted(self._buckets):
            seen += self._buckets[bucket]
            if seen >= rank:
                return min(_middle(bucket), self.most)
        return math.nan

    @property
    def mean(self) -> float:
        """Exact; nan of none."""
        return self.total / self.count if self.count else math.nan


def of(samples: Iterable[float]) -> Histogram:
    """A histogram of all of these."""
    histogram = Histogram()
    for seconds in samples:
        histogram.record(seconds)
    return histogram


def _bucket(seconds: float) -> int:
    return math.floor(math.log(max(seconds, LEAST) / LEAST) / _FACTOR)


def _middle(bucket: int) -> float:
    """Equally far, as a share of it, from both ends of the bucket."""
    low = LEAST * math.exp(bucket * _FACTOR)
    return low * (1 + RELATIVE_ERROR)
