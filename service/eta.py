"""How long a job will take, from the work before it and the pace of late. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from api_schemas.estimates import EtaSeconds


def quantile(values: Sequence[float], q: float) -> float:
    """Between the two nearest of at least one value, linearly."""
    ordered = sorted(values)
    at = q * (len(ordered) - 1)
    low = int(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (at - low) * (ordered[high] - ordered[low])


def eta(paces: Sequence[float], before: float, own: float, workers: int) -> EtaSeconds | None:
    """None where nothing is known.

    paces: seconds a forward took lately; before: forwards of other jobs, shared by the workers; own: of the
    job itself, done by one
    """
    if not paces or not workers:
        return None
    work = before / workers + own
    return EtaSeconds(p50=round(work * quantile(paces, 0.5), 3), p90=round(work * quantile(paces, 0.9), 3))
