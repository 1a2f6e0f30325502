"""Every end is counted once, with its reason and its seconds."""

from __future__ import annotations

import pytest
from redis import Redis

from api_schemas.errors import JobError
from api_schemas.jobs import InsertionResult, Timings
from job_store.jobs import JobStore
from job_store.statistics import BOUNDS, Histogram, Statistics
from tests.job_store.samples import MAX_CRASHES, MODEL, TENANT, new_job, result, start


@pytest.fixture
def statistics(redis: Redis) -> Statistics:
    return Statistics(redis)


def timed(**seconds: float) -> InsertionResult:
    return result().model_copy(update={"timings": Timings(**seconds)})


def buckets(*seconds: float) -> tuple[int, ...]:
    """Counted the plain way."""
    edges = [0.0, *BOUNDS, float("inf")]
    return tuple(
        sum(low < one <= high or one == low == 0 for one in seconds)
        for low, high in zip(edges, edges[1:], strict=False)
    )


def test_seconds_fall_into_their_stages_buckets(store: JobStore, statistics: Statistics) -> None:
    assert statistics.durations() == []
    for denoise, decode, steps in ((10.0, 0.05, 20), (3.0, 400.0, 20), (0.1, 0.0, 0)):
        claim = start(store)
        store.commit(claim.record.id, claim.token, timed(denoise=denoise, decode=decode), steps)
    found = {one.stage: one for one in statistics.durations()}
    assert set(found) == {*Timings.model_fields, "denoise_step"}
    assert found["denoise"] == Histogram(MODEL, "denoise", buckets(10.0, 3.0, 0.1), 13.1)
    assert found["decode"] == Histogram(MODEL, "decode", buckets(0.05, 400.0, 0.0), 400.05)
    assert found["queue"] == Histogram(MODEL, "queue", buckets(0.0, 0.0, 0.0), 0.0)
    assert found["denoise_step"] == Histogram(MODEL, "denoise_step", buckets(0.5, 0.15), 0.65)


def test_a_repeated_commit_counts_once(store: JobStore, statistics: Statistics) -> None:
    claim = start(store)
    for _ in range(3):
        store.commit(claim.record.id, claim.token, timed(denoise=1.0))
    assert {sum(one.counts) for one in statistics.durations()} == {1}


def test_cancels_and_failures_have_their_reasons(store: JobStore, statistics: Statistics) -> None:
    for _ in range(2):
        store.cancel(store.submit(new_job())[0].id, TENANT)
    running, failing, crashing = (start(store) for _ in range(3))
    store.canceled(running.record.id, running.token)
    store.fail(failing.record.id, failing.token, JobError(code="out_of_memory", message="no room"))
    store.release(crashing.record.id, crashing.token, crashed=True, max_crashes=MAX_CRASHES - 1)
    assert statistics.reasons("canceled") == {"queued": 2, "running": 1}
    assert statistics.reasons("failed") == {"out_of_memory": 1, "worker_crashed": 1}
