"""The expected wait that a fleet is scaled by."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

import pytest
from redis import Redis

from job_store.jobs import JobStore
from job_store.operations import Operations
from job_store.outlook import Outlook
from job_store.workers import WorkerRegistry, WorkerState
from service.wait_metrics import wait_metrics
from tests.job_store.samples import MODEL, new_job

NOW = datetime(2030, 1, 2, tzinfo=UTC)


def worker(name: str, state: Literal["loading", "ready", "busy", "down"]) -> WorkerState:
    return WorkerState(name, MODEL, state, 1, 2, NOW, NOW)


def told(redis: Redis, *states: WorkerState) -> list[float]:
    family = wait_metrics(JobStore(redis), Outlook(redis), Operations(redis), states, [MODEL])
    return [sample.value for sample in family.samples]


@pytest.fixture
def jobs(redis: Redis) -> float:
    """Seconds of work of a hundred of them, at two seconds a forward."""
    store = JobStore(redis)
    works = [store.submit(new_job())[0].work for _ in range(100)]
    Outlook(redis).note(MODEL, "", 10, 20)
    return 2 * sum(works)


def test_it_is_shared_by_all_that_work_or_soon_will(redis: Redis, jobs: float) -> None:
    four = [worker("a", "busy"), worker("b", "loading"), worker("c", "ready"), worker("d", "down")]
    assert told(redis) == pytest.approx([jobs])
    assert told(redis, *four) == pytest.approx([jobs / 3])
    WorkerRegistry(redis).put_state(four[0], 60)
    Operations(redis).drain("a")
    assert told(redis, *four) == pytest.approx([jobs / 2])


def test_what_cannot_start_asks_for_no_workers(redis: Redis, jobs: float) -> None:
    Operations(redis).pause(MODEL)
    assert told(redis, worker("a", "ready")) == [0]


def test_without_a_job_there_is_no_wait_and_without_a_pace_nobody_knows(redis: Redis) -> None:
    assert told(redis) == [0]
    JobStore(redis).submit(new_job())
    assert told(redis) == []
