"""A job of the simulation, and whom jobs come from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True, eq=False)
class Job:
    """source: number of its picture; arrived: seconds since the beginning; level: of the line it stands in, 1
    while others go first"""

    tenant: int
    source: int
    seeds: int
    bulk: bool
    arrived: float
    level: int = 0


@dataclass(frozen=True)
class Traffic:
    """Sessions of edits of one source each.

    sessions_per_second: that begin, by chance (Poisson); swing: of that rate over a day, as a share of it
    tenants: the n-th has demand like 1 / n (Zipf)
    again: probability that an edit has a successor, which comes `think_seconds` (exponential) after its end
    four_seeds, bulk: shares of jobs
    """

    sessions_per_second: float
    tenants: int = 200
    again: float = 0.75
    think_seconds: float = 40.0
    four_seeds: float = 0.2
    bulk: float = 0.2
    swing: float = 0.0

    @property
    def jobs_per_second(self) -> float:
        """On average."""
        return self.sessions_per_second / (1 - self.again)
