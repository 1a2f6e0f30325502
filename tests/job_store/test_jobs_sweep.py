"""What time does to jobs: leases, deadlines and retentions that run out."""

from __future__ import annotations

import pytest
from redis import Redis

from job_store.artifacts import job_prefix
from job_store.errors import NotFound, WrongState
from job_store.jobs import DEADLINE_GRACE_MS, JobStore
from job_store.keys import Key
from job_store.records import Swept
from job_store.server import Server
from tests.job_store.samples import (
    LEASE_MS,
    MAX_CRASHES,
    MODEL,
    TENANT,
    WORKER,
    must,
    new_job,
    pass_time,
    result,
    start,
)

NOTHING = Swept((), (), (), ())


def error_of(store: JobStore, job_id: str) -> str | None:
    error = store.get(job_id).error
    return error.code if error else None


def test_nothing_happens_in_time(store: JobStore, redis: Redis) -> None:
    claim = start(store)
    store.submit(new_job())
    pass_time(redis, claim.record.id, LEASE_MS - 5000)
    assert store.sweep(MAX_CRASHES) == NOTHING
    assert store.get(claim.record.id).status == "running"


def test_a_lease_that_runs_out_frees_the_job(store: JobStore, redis: Redis) -> None:
    claim = start(store)
    pass_time(redis, claim.record.id, LEASE_MS)
    assert store.sweep(MAX_CRASHES) == Swept((claim.record.id,), (), (), ())
    assert store.sweep(MAX_CRASHES) == NOTHING
    taken_over = must(store.claim(MODEL, "worker-2", LEASE_MS))
    assert (taken_over.record.id, taken_over.record.crashes) == (claim.record.id, 1)


def test_a_beat_keeps_the_lease(store: JobStore, redis: Redis) -> None:
    claim = start(store)
    pass_time(redis, claim.record.id, LEASE_MS)
    store.beat(claim.record.id, claim.token, LEASE_MS)
    assert store.sweep(MAX_CRASHES) == NOTHING


def test_workers_that_vanish_over_a_job_quarantine_it(store: JobStore, redis: Redis) -> None:
    claim = start(store)
    for _ in range(MAX_CRASHES - 1):
        pass_time(redis, claim.record.id, LEASE_MS)
        store.sweep(MAX_CRASHES)
        claim = must(store.claim(MODEL, WORKER, LEASE_MS))
    pass_time(redis, claim.record.id, LEASE_MS)
    assert store.sweep(MAX_CRASHES) == Swept((), (claim.record.id,), (), ())
    assert error_of(store, claim.record.id) == "worker_crashed"


def test_a_canceled_job_of_a_vanished_worker_is_canceled(store: JobStore, redis: Redis) -> None:
    claim = start(store)
    store.cancel(claim.record.id, TENANT)
    pass_time(redis, claim.record.id, LEASE_MS)
    store.sweep(1)
    assert store.get(claim.record.id).status == "canceled"


@pytest.mark.parametrize("finder", ["sweep", "claim"])
def test_a_job_never_started_by_its_deadline_expires(store: JobStore, redis: Redis, finder: str) -> None:
    late = store.submit(new_job(deadline_seconds=5))[0].id
    in_time = store.submit(new_job())[0].id
    pass_time(redis, late, 5000)
    if finder == "sweep":
        assert store.sweep(MAX_CRASHES).ended == (late,)
    assert must(store.claim(MODEL, WORKER, LEASE_MS)).record.id == in_time
    assert (store.get(late).status, store.get(late).attempts, error_of(store, late)) == ("expired", 0, None)


def test_a_job_back_in_line_past_its_deadline_fails(store: JobStore, redis: Redis) -> None:
    claim = start(store, deadline_seconds=5)
    store.release(claim.record.id, claim.token, crashed=False, max_crashes=MAX_CRASHES)
    pass_time(redis, claim.record.id, 5000)
    assert store.claim(MODEL, WORKER, LEASE_MS) is None
    assert error_of(store, claim.record.id) == "deadline_exceeded"


def test_a_running_job_is_given_grace_after_its_deadline(store: JobStore, redis: Redis) -> None:
    claim = start(store, deadline_seconds=5)
    pass_time(redis, claim.record.id, 5000 + DEADLINE_GRACE_MS - 2000)
    assert store.sweep(MAX_CRASHES) == NOTHING
    pass_time(redis, claim.record.id, 2000)
    assert store.sweep(MAX_CRASHES) == Swept((), (claim.record.id,), (), ())
    assert error_of(store, claim.record.id) == "deadline_exceeded"


def test_an_ended_job_is_deleted_after_its_retention(store: JobStore, redis: Redis) -> None:
    claim = start(store, retain_seconds=60)
    store.commit(claim.record.id, claim.token, result())
    ended = store.get(claim.record.id)
    assert ended.completed_at is not None
    assert ended.delete_at is not None
    assert (ended.delete_at - ended.completed_at).total_seconds() == 60
    pass_time(redis, claim.record.id, 59_000)
    assert store.sweep(MAX_CRASHES) == NOTHING
    pass_time(redis, claim.record.id, 1000)
    prefix = job_prefix(TENANT, claim.record.id)
    assert store.sweep(MAX_CRASHES) == Swept((), (), (claim.record.id,), (prefix,))
    with pytest.raises(NotFound):
        store.get(claim.record.id)
    assert store.list(TENANT) == ([], None)


def test_artifacts_are_named_until_they_are_gone(store: JobStore) -> None:
    record, _ = store.submit(new_job())
    store.delete(record.id, TENANT)
    prefix = job_prefix(TENANT, record.id)
    assert store.sweep(MAX_CRASHES).prefixes == store.sweep(MAX_CRASHES).prefixes == (prefix,)
    store.purged(prefix)
    assert store.sweep(MAX_CRASHES) == NOTHING


def test_delete_leaves_no_trace_but_counts(store: JobStore, redis: Redis) -> None:
    claim = start(store)
    with pytest.raises(WrongState):
        store.delete(claim.record.id, TENANT)
    store.commit(claim.record.id, claim.token, result())
    waiting = store.submit(new_job())[0]
    for job_id in (claim.record.id, waiting.id):
        store.delete(job_id, TENANT)
        with pytest.raises(NotFound):
            store.delete(job_id, TENANT)
        store.purged(job_prefix(TENANT, job_id))
    assert store.counts() == {"accepted": 2, "succeeded": 1, "canceled": 1}
    for_a_while = {Key.CLAIM + claim.token, Key.FORGOTTEN, Key.RATE + TENANT, Key.IDLE + WORKER}
    shares = {Key.USUAL_LIMITS, Key.SERVED + MODEL, Key.VIRTUAL_TIME + MODEL}
    counts = {Key.COUNTS, Key.REASONS, Key.DURATIONS + MODEL, Key.FORGOTTEN_NUMBER}
    usage = {key.decode() for key in Server(redis).command("KEYS", f"{Key.USAGE}{TENANT}:*")}
    assert usage
    assert set(Server(redis).command("KEYS", "*")) == {
        key.encode()
        for key in (Key.MODELS, Key.TENANTS, Key.LAST_TIME, *shares, *counts, *for_a_while, *usage)
    }
    assert all(0 < redis.pttl(key) <= 3_600_000 for key in for_a_while)


def test_a_pass_is_bounded_and_the_next_goes_on(
    store: JobStore, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("job_store.jobs.SWEEP_LIMIT", 2)
    ids = [store.submit(new_job(deadline_seconds=5))[0].id for _ in range(5)]
    for job_id in ids:
        pass_time(redis, job_id, 5000)
    assert [len(store.sweep(MAX_CRASHES).ended) for _ in range(4)] == [2, 2, 1, 0]


def test_entries_without_a_record_are_dropped(store: JobStore, redis: Redis) -> None:
    """As a server that lost its last second could leave them, were the scripts not atomic."""
    redis.sadd(Key.MODELS, MODEL)
    for key in (Key.LEASES, Key.DEADLINES, Key.DELETIONS, Key.READY + MODEL):
        redis.zadd(key, {"ins_gone": 1})
    assert store.claim(MODEL, WORKER, LEASE_MS) is None
    assert store.sweep(MAX_CRASHES) == NOTHING


def test_jobs_of_a_release_without_shares_get_their_turn(store: JobStore, redis: Redis) -> None:
    job_id = store.submit(new_job())[0].id
    for key in (f"{Key.LINE}{MODEL}:{TENANT}", Key.TURNS + MODEL, Key.WAITING + MODEL):
        redis.delete(key)
    assert store.claim(MODEL, WORKER, LEASE_MS) is None
    store.sweep(MAX_CRASHES)
    assert must(store.claim(MODEL, WORKER, LEASE_MS)).record.id == job_id
