"""What operators do to queues, workers and jobs."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from redis import Redis

from job_store.errors import NotFound, WorkerDrained, WrongState
from job_store.jobs import JobStore
from job_store.keys import Key
from job_store.operations import Operations
from job_store.outlook import Outlook
from job_store.tenants import Limits, Tenants
from job_store.workers import WorkerRegistry, WorkerState
from tests.job_store.samples import LEASE_MS, MAX_CRASHES, MODEL, TENANT, WORKER, must, new_job, start


@pytest.fixture
def operations(redis: Redis) -> Operations:
    return Operations(redis)


def crash(store: JobStore) -> str:
    """A job that was given up."""
    claim = start(store)
    for _ in range(MAX_CRASHES - 1):
        store.release(claim.record.id, claim.token, crashed=True, max_crashes=MAX_CRASHES)
        claim = must(store.claim(MODEL, WORKER, LEASE_MS))
    store.release(claim.record.id, claim.token, crashed=True, max_crashes=MAX_CRASHES)
    return claim.record.id


def test_nothing_starts_in_a_paused_queue(store: JobStore, operations: Operations) -> None:
    running = start(store)
    job_id = store.submit(new_job())[0].id
    operations.pause(MODEL)
    assert operations.paused() == {MODEL}
    assert store.claim(MODEL, WORKER, LEASE_MS) is None
    assert store.claimable_count(MODEL) == 0
    store.beat(running.record.id, running.token, LEASE_MS)
    store.submit(new_job(model="other"))
    assert store.claim("other", WORKER, LEASE_MS)
    operations.resume(MODEL)
    assert must(store.claim(MODEL, WORKER, LEASE_MS)).record.id == job_id


def test_a_drained_worker_ends_its_job_and_takes_no_other(
    store: JobStore, operations: Operations, redis: Redis
) -> None:
    registry = WorkerRegistry(redis)
    registry.put_state(WorkerState(WORKER, MODEL, "busy", 1, 2, None, datetime.now(UTC)), 60)
    running = start(store)
    store.submit(new_job())
    operations.drain(WORKER)
    store.beat(running.record.id, running.token, LEASE_MS)
    with pytest.raises(WorkerDrained):
        store.claim(MODEL, WORKER, LEASE_MS)
    assert store.claim(MODEL, "worker-2", LEASE_MS)
    store.submit(new_job())
    operations.undrain(WORKER)
    assert store.claim(MODEL, WORKER, LEASE_MS)
    operations.drain(WORKER)
    registry.remove(WORKER)
    assert operations.drained() == frozenset()
    for act in (operations.drain, operations.undrain):
        with pytest.raises(NotFound):
            act(WORKER)


def test_a_moved_job_is_next_whatever_shares_and_caps_say(
    store: JobStore, operations: Operations, redis: Redis
) -> None:
    Tenants(redis, Limits()).put(TENANT, {"max_running": 0})
    for _ in range(3):
        store.submit(new_job("other"))
    last = [store.submit(new_job(priority="bulk"))[0] for _ in range(3)]
    for record in last[1:]:
        operations.move_to_front(record.id)
    outlook = Outlook(redis)
    assert [outlook.ahead_of(record).count for record in last] == [5, 1, 0]
    assert store.claimable_count(MODEL) == 5
    claims = [must(store.claim(MODEL, WORKER, LEASE_MS)) for _ in range(3)]
    assert [claim.record.id for claim in claims[:2]] == [last[2].id, last[1].id]
    assert claims[2].record.tenant == "other"
    store.release(claims[0].record.id, claims[0].token, crashed=False, max_crashes=MAX_CRASHES)
    assert must(store.claim(MODEL, WORKER, LEASE_MS)).record.id == last[2].id
    with pytest.raises(WrongState):
        operations.move_to_front(last[2].id)
    with pytest.raises(NotFound):
        operations.move_to_front("ins_absent")


def test_jobs_that_crashed_their_workers_are_kept_apart(store: JobStore, operations: Operations) -> None:
    first, second = crash(store), crash(store)
    store.cancel(store.submit(new_job())[0].id, TENANT)
    assert operations.dead(10) == [second, first]
    assert operations.dead(1) == [second]
    operations.replayed(second, "ins_new")
    store.delete(first, TENANT)
    assert operations.dead(10) == []


def test_acts_are_noted_newest_first(operations: Operations) -> None:
    operations.by("ann").pause(MODEL)
    operations.by("bob").pause(MODEL)
    operations.by("bob").resume(MODEL)
    acts = [(act.what, act.to, act.by, act.before, act.after) for act in operations.acts(10)]
    no, yes = {"paused": False}, {"paused": True}
    assert acts == [
        ("resume", MODEL, "bob", yes, no),
        ("pause", MODEL, "bob", yes, yes),
        ("pause", MODEL, "ann", no, yes),
    ]
    assert len(operations.acts(1)) == 1


def test_acts_of_before_they_told_who_are_read(operations: Operations, redis: Redis) -> None:
    redis.xadd(Key.ACTS, {"what": "pause", "to": MODEL})
    (act,) = operations.acts(10)
    assert (act.what, act.by, act.before, act.after) == ("pause", "", None, None)


def test_acts_upon_keys_are_noted_without_secrets(operations: Operations, redis: Redis) -> None:
    made, key = operations.create_key(TENANT, "shop", ["images"], None)
    new, newer = operations.rotate_key(made.id, 60, None)
    operations.revoke_key(new.id)
    revoked, rotated, created = operations.acts(10)
    assert [act.what for act in (revoked, rotated, created)] == ["revoke_key", "rotate_key", "create_key"]
    assert (created.before, created.to) == (None, made.id)
    assert created.after == {"id": made.id, "tenant": TENANT, "name": "shop", "scopes": ["images"]}
    assert rotated.before == created.after
    assert rotated.after
    assert rotated.after["id"] == new.id
    assert (revoked.before, revoked.after) == ({**created.after, "id": new.id}, None)
    noted = str(redis.xrange(Key.ACTS))
    assert not any(secret.rpartition("_")[2] in noted for secret in (key, newer))
