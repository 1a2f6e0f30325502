"""An attempt's span stands below the request's, its stages below it, in the times of who measured them."""

from __future__ import annotations

import pytest
from opentelemetry.trace import StatusCode
from redis import Redis

from job_store.jobs import JobStore
from job_store.records import JobRecord
from tests.job_store.samples import LEASE_MS, MODEL, WORKER, must, new_job
from tests.runtime.recording import named_by, parent_of, recording
from tests.runtime.test_telemetry import TRACE
from workers.attempt_spans import begin_attempt, tell_ending, tell_lap
from workers.messages import Lap, Step


@pytest.fixture
def record(redis: Redis) -> JobRecord:
    """In its second attempt."""
    store = JobStore(redis)
    job = new_job()
    store.submit(type(job)(**{**vars(job), "traceparent": TRACE}))
    first = must(store.claim(MODEL, WORKER, LEASE_MS))
    assert store.release(job.id, first.token, crashed=True, max_crashes=2) == "queued"
    return must(store.claim(MODEL, WORKER, LEASE_MS)).record


def test_waiting_working_and_every_stage_are_spans(record: JobRecord) -> None:
    lap = Lap("token", "denoise", 2_000, 9_000, (Step(3_000, "source", 1, 2), Step(4_000, "denoise", 2, 2)))
    with recording() as spans:
        span = begin_attempt(record)
        tell_lap(span, lap)
        tell_ending(span, "succeeded")
        span.end()
    (queue,), (attempt,), (denoise,) = spans.named("queue"), spans.named("attempt"), spans.named("denoise")
    assert (parent_of(queue), parent_of(attempt), parent_of(denoise)) == (TRACE, TRACE, named_by(attempt))
    assert record.ready_at is not None
    assert record.claimed_at is not None
    waited = (record.claimed_at - record.ready_at).total_seconds()
    assert ((queue.end_time or 0) - (queue.start_time or 0)) / 1e9 == pytest.approx(waited, abs=1e-6)
    assert dict(attempt.attributes or {}) == {
        "addit.job_id": record.id, "addit.tenant": record.tenant, "addit.model": MODEL,
        "addit.worker": WORKER, "addit.attempt": 2, "addit.ending": "succeeded",
    }  # fmt: skip
    assert (denoise.start_time, denoise.end_time) == (2_000, 9_000)
    told = [(event.name, event.timestamp, dict(event.attributes or {})) for event in denoise.events]
    assert told == [
        ("source step", 3_000, {"step": 1, "total": 2}),
        ("denoise step", 4_000, {"step": 2, "total": 2}),
    ]
    assert attempt.status.status_code is StatusCode.UNSET


@pytest.mark.parametrize("ending", ["failed", "crashed", "died", "hang", "shutdown"])
def test_an_attempt_that_came_to_nothing_is_marked(record: JobRecord, ending: str) -> None:
    with recording() as spans:
        span = begin_attempt(record)
        tell_ending(span, ending)
        span.end()
    (attempt,) = spans.named("attempt")
    assert (attempt.status.status_code, attempt.status.description) == (StatusCode.ERROR, ending)


def test_a_second_wait_begins_when_the_job_was_given_back(record: JobRecord) -> None:
    assert record.ready_at is not None
    assert record.started_at is not None
    assert record.claimed_at is not None
    assert record.created_at <= record.started_at <= record.ready_at <= record.claimed_at
