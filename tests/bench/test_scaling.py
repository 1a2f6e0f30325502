"""Workers' scaling in small, and its arithmetic."""

from __future__ import annotations

import dataclasses
import math

import pytest
from redis import Redis

from bench.scaling import COLUMNS, gap, overload, scaled, to_figures
from job_store.jobs import JobStore
from tests.job_store.samples import result, start


@pytest.mark.timeout(600)
def test_two_workers_share_the_work_of_four_tenants() -> None:
    rows = scaled([1, 2], [0.2], 2.0)
    assert [row.workers for row in rows] == [1, 2]
    for row in rows:
        assert row.jobs > 0
        assert 0 < row.share <= 1.3, "a few jobs may have been short ones"
        assert row.fairness > 0.5
        assert row.operations > 50
        assert row.nbytes > 1000
    assert rows[1].jobs > rows[0].jobs
    assert {len(row) for row in to_figures(rows, None).rows} == {len(COLUMNS)}


@pytest.mark.timeout(600)
def test_three_times_too_much_is_shed_and_nothing_accepted_is_lost() -> None:
    pressed = overload(1, 0.2, 3.0)
    assert pressed.lost == 0
    assert pressed.errors == 0
    assert pressed.refusals > 0
    assert pressed.accepted > 0


def test_a_gap_is_between_two_jobs_of_one_worker(redis: Redis) -> None:
    store, jobs = JobStore(redis), []
    for worker in ("a", "b", "a"):
        claim = start(store)
        store.commit(claim.record.id, claim.token, result())
        jobs.append(dataclasses.replace(store.get(claim.record.id), worker=worker))
    first, _, third = jobs
    assert first.completed_at
    assert third.started_at
    assert gap(jobs) == (third.started_at - first.completed_at).total_seconds()
    assert math.isnan(gap(jobs[:1]))
