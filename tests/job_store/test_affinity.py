"""A worker that holds a job's source is preferred for it, within bounds."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from redis import Redis

from api_schemas.base import new_id
from job_store.errors import HeldElsewhere
from job_store.jobs import AHEAD_MS, JobStore
from job_store.keys import Key
from job_store.records import JobRecord, NewJob
from job_store.workers import WorkerRegistry, WorkerState
from tests.job_store.samples import LEASE_MS, MODEL, TENANT, must, request

PATIENCE_MS = 60_000


def submit(store: JobStore, scene: str, tenant: str = TENANT) -> JobRecord:
    asked = request(source={"kind": "generated", "prompt": scene})
    return store.submit(NewJob(new_id("ins"), tenant, MODEL, asked, source_key=None))[0]


def held(store: JobStore, scene: str, worker: str) -> str:
    """The source id of a scene that the worker has just run."""
    submit(store, scene)
    claim = must(store.claim(MODEL, worker, LEASE_MS))
    store.canceled(claim.record.id, claim.token)
    return claim.record.source_id


def idle(redis: Redis, name: str) -> None:
    state = WorkerState(name, MODEL, "ready", 1, 2, None, datetime.now(UTC))
    WorkerRegistry(redis).put_state(state, ttl=60)


def test_jobs_of_a_tenant_with_the_same_source_share_its_id(store: JobStore) -> None:
    one, two, other, foreign = (
        submit(store, scene, tenant)
        for scene, tenant in [("bed", TENANT), ("bed", TENANT), ("sea", TENANT), ("bed", "globex")]
    )
    assert one.source_id == two.source_id
    assert len({one.source_id, other.source_id, foreign.source_id}) == 3


def test_a_held_source_goes_a_little_before_its_turn(store: JobStore) -> None:
    bed = held(store, "bed", "one")
    first, second = submit(store, "sea"), submit(store, "bed")
    assert must(store.claim(MODEL, "one", LEASE_MS, [bed])).record.id == second.id
    assert must(store.claim(MODEL, "one", LEASE_MS, [bed])).record.id == first.id


def test_but_not_before_one_that_has_waited_longer(redis: Redis, store: JobStore) -> None:
    bed = held(store, "bed", "one")
    first, second = submit(store, "sea"), submit(store, "bed")
    line = f"{Key.LINE}{MODEL}:{TENANT}"
    redis.zincrby(line, AHEAD_MS * 1000 + 1_000_000, second.id)
    place = redis.zincrby(Key.READY + MODEL, AHEAD_MS * 1000 + 1_000_000, second.id)
    redis.hset(Key.JOB + second.id, "place", place)
    assert must(store.claim(MODEL, "one", LEASE_MS, [bed])).record.id == first.id


def test_a_job_is_left_to_an_idle_worker_that_holds_its_source(redis: Redis, store: JobStore) -> None:
    bed = held(store, "bed", "one")
    idle(redis, "one")
    job = submit(store, "bed")
    with pytest.raises(HeldElsewhere):
        store.claim(MODEL, "two", LEASE_MS, patience_ms=PATIENCE_MS)
    assert must(store.claim(MODEL, "one", LEASE_MS, [bed])).record.id == job.id


@pytest.mark.parametrize("why", ["busy", "gone", "late"])
def test_nobody_waits_for_a_worker_that_is_busy_or_gone_nor_for_long(
    redis: Redis, store: JobStore, why: str
) -> None:
    held(store, "bed", "one")
    if why != "gone":
        idle(redis, "one")
    if why == "busy":
        submit(store, "sea")
        must(store.claim(MODEL, "one", LEASE_MS))
    job = submit(store, "bed")
    if why == "late":
        redis.hincrby(Key.JOB + job.id, "created_at", -PATIENCE_MS)
    assert must(store.claim(MODEL, "two", LEASE_MS, patience_ms=PATIENCE_MS)).record.id == job.id
