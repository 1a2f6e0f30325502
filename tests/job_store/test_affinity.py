"""A worker that holds a job's source is preferred for it, within bounds."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from redis import Redis

from api_schemas.base import new_id
from api_schemas.jobs import Progress
from job_store.errors import HeldElsewhere
from job_store.jobs import AHEAD_MS, JobStore
from job_store.keys import Key
from job_store.operations import Operations
from job_store.records import Claim, JobRecord, NewJob
from job_store.workers import WorkerRegistry, WorkerState
from tests.job_store.samples import LEASE_MS, MODEL, TENANT, must, request

PATIENCE_MS = 60_000


def submit(store: JobStore, scene: str, tenant: str = TENANT, *, weighed: bool = False) -> JobRecord:
    asked = request(source={"kind": "generated", "prompt": scene})
    work, remembered = WORK if weighed else (None, None)
    job = NewJob(new_id("ins"), tenant, MODEL, asked, source_key=None, work=work, remembered_work=remembered)
    return store.submit(job)[0]


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


WORK = (45.0, 28.0)
"""Forwards of a job whose source is new, and is remembered: 17 that others run are waited for, 18 are not."""


def busy(redis: Redis, store: JobStore, worker: str, percent: float | None = None) -> Claim:
    """The worker runs a job of 45 forwards and says how far it is."""
    submit(store, "sea", weighed=True)
    claim = must(store.claim(MODEL, worker, LEASE_MS))
    if percent is not None:
        at = Progress(stage="denoise", step=1, total=30, percent=percent)
        store.report(claim.record.id, claim.token, at)
    state = WorkerState(worker, MODEL, "busy", 1, 2, None, datetime.now(UTC))
    WorkerRegistry(redis).put_state(state, ttl=60)
    return claim


@pytest.mark.parametrize(("percent", "left"), [(None, False), (60, False), (63, True), (90, True)])
def test_a_job_is_left_to_a_busy_worker_that_will_soon_be_free(
    redis: Redis, store: JobStore, percent: float | None, left: bool
) -> None:
    bed = held(store, "bed", "one")
    claim = busy(redis, store, "one", percent)
    job = submit(store, "bed", weighed=True)
    if not left:
        assert must(store.claim(MODEL, "two", LEASE_MS, busy_patience_ms=PATIENCE_MS)).record.id == job.id
        return
    with pytest.raises(HeldElsewhere) as refused:
        store.claim(MODEL, "two", LEASE_MS, busy_patience_ms=PATIENCE_MS)
    assert not refused.value.idle, "nobody is to be woken"
    store.canceled(claim.record.id, claim.token)
    with pytest.raises(HeldElsewhere):  # the holder is about to ask
        store.claim(MODEL, "two", LEASE_MS, busy_patience_ms=PATIENCE_MS)
    assert must(store.claim(MODEL, "one", LEASE_MS, [bed])).record.id == job.id


def test_others_jobs_pass_one_that_is_left_and_cost_it_nothing(redis: Redis, store: JobStore) -> None:
    held(store, "bed", "one")
    busy(redis, store, "one", 90)
    first, same, other = (
        submit(store, "bed", weighed=True),
        submit(store, "hill"),
        submit(store, "hill", "globex"),
    )
    claimed = [
        must(store.claim(MODEL, "two", LEASE_MS, busy_patience_ms=PATIENCE_MS)).record for _ in range(2)
    ]
    assert {record.id for record in claimed} == {same.id, other.id}
    with pytest.raises(HeldElsewhere):
        store.claim(MODEL, "two", LEASE_MS, busy_patience_ms=PATIENCE_MS)
    assert store.ready_count(MODEL) == 1
    assert must(store.claim(MODEL, "three", LEASE_MS)).record.id == first.id


@pytest.mark.parametrize("why", ["late", "gone", "drained", "saves nothing"])
def test_nobody_waits_for_a_busy_worker_in_vain(redis: Redis, store: JobStore, why: str) -> None:
    held(store, "bed", "one")
    busy(redis, store, "one", 90)
    job = submit(store, "bed", weighed=why != "saves nothing")
    if why == "late":
        redis.hincrby(Key.JOB + job.id, "created_at", -PATIENCE_MS)
    if why == "gone":
        WorkerRegistry(redis).remove("one")
    if why == "drained":
        Operations(redis).drain("one")
    assert must(store.claim(MODEL, "two", LEASE_MS, busy_patience_ms=PATIENCE_MS)).record.id == job.id


@pytest.mark.parametrize("why", ["busy", "gone", "late"])
def test_nobody_waits_for_a_worker_that_is_busy_for_long_or_gone_nor_for_long(
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
