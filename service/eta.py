"""How long a job will take, from the work before it and the pace of late. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from api_schemas.estimates import EtaSeconds


@dataclass(frozen=True)
class Work:
    """forwards: of one job or several; paces: seconds a forward took lately; mine: of the tenant who asks."""

    forwards: float
    paces: Sequence[float]
    mine: bool = False


def quantile(values: Sequence[float], q: float) -> float:
    """Between the two nearest of at least one value, linearly."""
    ordered = sorted(values)
    at = q * (len(ordered) - 1)
    low = int(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (at - low) * (ordered[high] - ordered[low])


def eta(before: Sequence[Work], own: Work, workers: int, cap: int) -> EtaSeconds | None:
    """None where nothing is known, or nothing of the tenant may run.

    before: what is done first, shared by the workers; of it the tenant's own by no more than its `cap`
    own: the job itself, done by one
    """
    if not own.paces or workers < 1 or cap < 1:
        return None

    def seconds(work: Sequence[Work], q: float) -> float:
        return sum(one.forwards * quantile(one.paces or own.paces, q) for one in work)

    def at(q: float) -> float:
        mine = [one for one in before if one.mine]
        waiting = max(seconds(before, q) / workers, seconds(mine, q) / min(cap, workers))
        return round(waiting + seconds([own], q), 3)

    return EtaSeconds(p50=at(0.5), p90=at(0.9))
