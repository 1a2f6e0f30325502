"""Times from work and pace."""

from __future__ import annotations

import numpy as np
import pytest

from api_schemas.estimates import EtaSeconds
from service.eta import UNFORESEEN, UNSURE, Z90, Work, eta

PACES = [0.1, 0.1, 0.3]


def told(before: list[Work], own: Work, workers: int = 1, cap: int = 1) -> EtaSeconds:
    found = eta(before, own, workers, cap)
    assert found is not None
    return found


def test_alone_it_is_the_pace_times_the_work() -> None:
    found = told([], Work(10, PACES))
    assert found.p50 == pytest.approx(10 * np.mean(PACES), abs=1e-3)
    spread = np.hypot(np.std(PACES, ddof=1) * np.sqrt(1 + 1 / 3), UNSURE * np.mean(PACES))
    assert found.p90 == pytest.approx(10 * (np.mean(PACES) + Z90 * spread), abs=1e-3)


def test_the_work_before_is_shared_and_the_own_is_not() -> None:
    found = told([Work(30, PACES), Work(10, PACES, mine=True)], Work(10, PACES), workers=4, cap=4)
    assert found.p50 == pytest.approx(20 * np.mean(PACES), abs=1e-3)


def test_the_spread_is_that_of_a_sum_of_jobs() -> None:
    generator = np.random.default_rng(0)
    paces = generator.gamma(4, 0.1, 500).tolist()
    found = told([Work(200, paces, jobs=20)], Work(10, paces), workers=2, cap=2)
    drawn = generator.choice(paces, (20_000, 21))
    unknown = np.hypot(UNFORESEEN * 100, UNSURE * 10) * np.mean(paces)
    unforeseen = generator.normal(0, unknown, 20_000)
    sums = 10 * drawn[:, :20].sum(1) / 2 + 10 * drawn[:, 20] + unforeseen
    assert found.p50 == pytest.approx(np.mean(sums), rel=0.02)
    assert found.p90 == pytest.approx(np.quantile(sums, 0.9), rel=0.02)


def test_few_paces_of_late_widen_the_time_as_much_as_they_err() -> None:
    """Another mean would have come out of as many other jobs, and that error is every job's."""
    generator = np.random.default_rng(1)

    def kept_share(samples: int) -> float:
        paces = generator.lognormal(0, 0.6, (4000, samples + 1))
        told_of = [told([], Work(1, each[:-1].tolist())).p90 for each in paces]
        return float(np.mean(paces[:, -1] <= told_of))

    assert kept_share(64) == pytest.approx(0.92, abs=0.02)
    assert kept_share(4) > 0.87, "without it 0.86"


def test_each_goes_at_its_shapes_pace() -> None:
    assert told([Work(5, [2.0]), Work(1, [])], Work(10, [0.5])).p50 == 5 * 2.0 + 11 * 0.5


def test_a_cap_slows_the_own_work_only() -> None:
    before = [Work(30, [1.0]), Work(10, [1.0], mine=True)]
    seconds = [told(before, Work(2, [1.0]), workers=8, cap=cap).p50 for cap in (4, 2, 1)]
    assert seconds == [5 + 2, 5 + 2, 10 + 2]


def test_nothing_known_is_nothing_told() -> None:
    assert eta([], Work(1, []), 1, 1) is None
    assert eta([], Work(1, [0.1]), 0, 1) is None
    assert eta([], Work(1, [0.1]), 1, 0) is None
