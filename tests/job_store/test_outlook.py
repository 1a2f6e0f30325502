"""What a new job would stand behind, and how fast jobs went lately."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from redis import Redis

from api_schemas.insertions import Priority
from api_schemas.jobs import Progress
from job_store.jobs import JobStore
from job_store.outlook import REMEMBERED, Load, Outlook, shape_of
from job_store.tenants import Limits, Tenants
from tests.job_store.samples import MODEL, TENANT, new_job, pass_time, start


def test_the_latest_paces_of_a_shape_are_kept(redis: Redis) -> None:
    outlook = Outlook(redis)
    for n in range(REMEMBERED + 5):
        outlook.note(MODEL, "16", 2, n)
    outlook.note(MODEL, "16", 0, 1)
    assert outlook.paces(MODEL, "16") == [n / 2 for n in reversed(range(5, REMEMBERED + 5))]
    assert outlook.paces(MODEL, "17") == outlook.paces(MODEL, None) == outlook.paces(MODEL, "16")
    assert outlook.paces("other", "16") == []


def order(store: JobStore) -> list[str]:
    """All waiting jobs as claims start them."""
    ids = []
    while claim := store.claim(MODEL, "worker-1", 30_000):
        ids.append(claim.record.id)
    return ids


@pytest.mark.parametrize("seed", range(8))
def test_a_position_is_how_many_claims_come_before(store: JobStore, redis: Redis, seed: int) -> None:
    """Tenants of different weights, whose jobs are each of one size."""
    draw = random.Random(seed)
    tenants = Tenants(redis, Limits())
    sizes = {"a": 1, "b": 3, "c": 2}
    for name in sizes:
        tenants.put(name, {"weight": draw.choice([0.5, 1, 2])})
    for _ in range(5):  # some have been served already
        store.submit(new_job(draw.choice("abc")))
        store.claim(MODEL, "worker-1", 30_000)
    records = []
    for _ in range(25):
        name = draw.choice("aaabc")
        priority: Priority = draw.choice(["interactive", "bulk"]) if name == "c" else "interactive"
        records.append(store.submit(new_job(name, seeds=list(range(sizes[name])), priority=priority))[0])
    outlook = Outlook(redis)
    positions = {record.id: outlook.ahead_of(record).count for record in records}
    assert positions == {job_id: place for place, job_id in enumerate(order(store))}


@pytest.mark.parametrize(("priority", "count"), [("interactive", 2), ("bulk", 3)])
def test_a_new_job_stands_behind_what_its_priority_lets_it(
    store: JobStore, redis: Redis, priority: Priority, count: int
) -> None:
    """A bulk job stands a minute further back than its age."""
    store.submit(new_job(job_id="old", priority="bulk"))
    pass_time(redis, "old", 70_000)
    store.submit(new_job(job_id="new"))
    store.submit(new_job(job_id="bulk", priority="bulk"))
    store.submit(new_job(model="other"))
    assert Outlook(redis).ahead(MODEL, TENANT, priority).count == count


def test_who_floods_stands_behind_itself(store: JobStore, redis: Redis) -> None:
    for _ in range(100):
        store.submit(new_job("flood", seeds=[1, 2]))
    outlook = Outlook(redis)
    assert outlook.ahead(MODEL, "flood", "interactive").count == 100
    assert outlook.ahead(MODEL, "other", "interactive").count in (0, 1)


def test_work_is_told_by_shape_and_owner(store: JobStore, redis: Redis) -> None:
    for tenant, shape, work in ((TENANT, "16", 20.0), (TENANT, "16", 30.0), ("other", "14", 8.0)):
        store.submit(replace(new_job(tenant), shape=shape, work=work))
    for _ in range(2):
        claim = store.claim(MODEL, "worker-1", 30_000)
        assert claim
        store.report(claim.record.id, claim.token, Progress(stage="denoise", step=1, total=4, percent=25))
    found = Outlook(redis).ahead(MODEL, TENANT, "interactive")
    assert set(found.loads) == {
        Load(15 + 30, "16", mine=True, jobs=2),
        Load(6, "14", mine=False, jobs=1),
    }
    assert (found.count, found.running, found.mine_running) == (1, 2, 1)


def test_a_source_that_was_run_lately_costs_less(store: JobStore, redis: Redis) -> None:
    jobs = [replace(new_job(), work=20.0, remembered_work=12.0) for _ in range(3)]
    first, second, third = (store.submit(job)[0] for job in jobs)
    outlook = Outlook(redis)
    assert outlook.ahead_of(third).loads == (Load(40, "", mine=True, jobs=2),)
    assert outlook.ahead_of(third).own == 20
    claim = store.claim(MODEL, "worker-1", 30_000)
    assert claim
    assert (claim.record.id, claim.record.work) == (first.id, 20)
    assert outlook.ahead_of(third).loads == (Load(20 + 12, "", mine=True, jobs=2),)
    assert outlook.ahead_of(second).own == 12


def test_those_that_run_are_known(store: JobStore, redis: Redis) -> None:
    start(store)
    store.submit(new_job(model="other"))
    store.claim("other", "worker-2", 30_000)
    found = Outlook(redis).ahead(MODEL, TENANT, "interactive")
    assert (found.running, found.mine_running, found.count) == (1, 2, 0)


def test_shapes_are_areas_as_worked_on() -> None:
    assert shape_of(256, 256, 2**16) == shape_of(300, 220, 2**16) == shape_of(4000, 3000, 2**16) == "16"
    assert shape_of(128, 128, 2**16) == "14"
    assert shape_of(1, 1, 2**16) == "0"
