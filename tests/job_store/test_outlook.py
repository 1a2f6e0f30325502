"""What a new job would stand behind, and how fast jobs went lately."""

from __future__ import annotations

import pytest
from redis import Redis

from api_schemas.insertions import Priority
from api_schemas.jobs import Cost
from job_store.jobs import JobStore
from job_store.outlook import REMEMBERED, Outlook, shape_of
from tests.job_store.samples import MODEL, new_job, pass_time, start


def cost(seconds: float, forwards: float) -> Cost:
    return Cost(gpu_seconds=seconds, forwards=forwards, source_memory="none")


def test_the_latest_paces_of_a_shape_are_kept(redis: Redis) -> None:
    outlook = Outlook(redis)
    for n in range(REMEMBERED + 5):
        outlook.note(MODEL, "16", cost(n, 2))
    outlook.note(MODEL, "16", cost(1, 0))
    assert outlook.paces(MODEL, "16") == [n / 2 for n in reversed(range(5, REMEMBERED + 5))]
    assert outlook.paces(MODEL, "17") == outlook.paces("other", "16") == []


@pytest.mark.parametrize(("priority", "ahead"), [("interactive", ["old", "new"]), ("bulk", [])])
def test_a_new_job_stands_behind_what_its_priority_lets_it(
    store: JobStore, redis: Redis, priority: Priority, ahead: list[str]
) -> None:
    """A bulk job stands a minute further back than its age."""
    store.submit(new_job(job_id="old", priority="bulk"))
    pass_time(redis, "old", 70_000)
    store.submit(new_job(job_id="new"))
    store.submit(new_job(job_id="bulk", priority="bulk"))
    store.submit(new_job(model="other"))
    found = Outlook(redis).ahead(MODEL, priority)
    assert [record.id for record in found.first] == (ahead or ["old", "new", "bulk"])
    assert found.count == len(found.first)


def test_those_that_run_are_known(store: JobStore, redis: Redis) -> None:
    running = start(store).record.id
    store.submit(new_job(model="other"))
    store.claim("other", "worker-2", 30_000)
    found = Outlook(redis).ahead(MODEL, "interactive")
    assert ([record.id for record in found.running], found.count) == ([running], 0)


def test_shapes_are_areas_as_worked_on() -> None:
    assert shape_of(256, 256, 2**16) == shape_of(300, 220, 2**16) == shape_of(4000, 3000, 2**16) == "16"
    assert shape_of(128, 128, 2**16) == "14"
    assert shape_of(1, 1, 2**16) == "0"
