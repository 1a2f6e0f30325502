"""How long a job will take, from the work before it and the pace of late. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, variance

from api_schemas.estimates import EtaSeconds

Z90 = 1.2816
"""The 90 % quantile of the normal distribution."""
UNSURE, UNFORESEEN = 0.5, 1.0
"""Of the own time (a source that another worker remembers) and of the wait (jobs yet to come that go first),
as standard deviations. From `python -m bench.eta`."""


@dataclass(frozen=True)
class Work:
    """forwards: of so many jobs; paces: seconds a forward took lately; mine: of the tenant who asks."""

    forwards: float
    paces: Sequence[float]
    mine: bool = False
    jobs: float = 1


@dataclass(frozen=True)
class _Seconds:
    """mean, and variance about it."""

    mean: float
    variance: float


def eta(before: Sequence[Work], own: Work, workers: int, cap: int) -> EtaSeconds | None:
    """None where nothing is known, or nothing of the tenant may run.

    before: what is done first, shared by the workers; of it the tenant's own by no more than its `cap`
    own: the job itself, done by one
    """
    if not own.paces or workers < 1 or cap < 1:
        return None
    mine = [one for one in before if one.mine]
    all_of_it, its_own = _shared(before, own.paces, workers), _shared(mine, own.paces, min(cap, workers))
    waiting = all_of_it if all_of_it.mean >= its_own.mean else its_own
    itself = _seconds(own, own.paces)
    middle = waiting.mean + itself.mean
    unknown = math.hypot(UNFORESEEN * waiting.mean, UNSURE * itself.mean)
    spread = math.sqrt(waiting.variance + itself.variance + unknown**2)
    return EtaSeconds(p50=round(middle, 3), p90=round(middle + Z90 * spread, 3))


def _shared(before: Sequence[Work], usual: Sequence[float], workers: int) -> _Seconds:
    each = [_seconds(one, one.paces or usual) for one in before]
    return _Seconds(sum(one.mean for one in each) / workers, sum(one.variance for one in each) / workers**2)


def _seconds(work: Work, paces: Sequence[float]) -> _Seconds:
    """Of jobs whose paces do not hang together: the variance of their sum falls with their number. That of
    the mean pace does not: few jobs of late leave it as uncertain (a prediction interval's two terms)."""
    spread = variance(paces) if len(paces) > 1 else 0.0
    terms = 1 / max(1.0, work.jobs) + 1 / len(paces)
    return _Seconds(work.forwards * fmean(paces), work.forwards**2 * spread * terms)
