"""Seeds that a tenant wants no more: noted once, told, kept over attempts; the job ends with the last."""

from __future__ import annotations

import pytest
from redis import Redis

from job_store.errors import NotFound, WrongState
from job_store.jobs import JobStore
from job_store.records import JobRecord, Wishes
from tests.job_store.samples import LEASE_MS, MODEL, TENANT, WORKER, events_of, must, new_job, result, start

SEEDS = [3, 13, 2**32 - 1]
WORK = 60.0


def submit(store: JobStore) -> JobRecord:
    return store.submit(new_job(seeds=SEEDS))[0]


def told(redis: Redis, job_id: str) -> list[str]:
    return [data for kind, data in events_of(redis, job_id) if kind == "dropped"]


def test_a_queued_job_begins_without_it(store: JobStore, redis: Redis) -> None:
    record = submit(store)
    for _ in range(2):
        asked = store.drop_seed(record.id, TENANT, SEEDS[2], WORK)
        assert (asked.status, asked.dropped_seeds, asked.request.seeds) == ("queued", (SEEDS[2],), SEEDS)
    claim = must(store.claim(MODEL, WORKER, LEASE_MS))
    assert claim.record.dropped_seeds == (SEEDS[2],)
    assert told(redis, record.id) == [f'{{"seed":{SEEDS[2]}}}']


def test_the_worker_of_a_running_job_hears_it_with_every_beat(store: JobStore) -> None:
    claim = start(store, seeds=SEEDS)
    assert store.beat(claim.record.id, claim.token, LEASE_MS) == Wishes(cancel=False)
    store.drop_seed(claim.record.id, TENANT, 13, WORK)
    store.drop_seed(claim.record.id, TENANT, 3, WORK)
    for _ in range(2):
        assert store.beat(claim.record.id, claim.token, LEASE_MS) == Wishes(cancel=False, dropped=(13, 3))


def test_the_wish_outlives_the_attempt(store: JobStore) -> None:
    claim = start(store, seeds=SEEDS)
    store.drop_seed(claim.record.id, TENANT, 13, WORK)
    assert store.release(claim.record.id, claim.token, crashed=True, max_crashes=2) == "queued"
    assert must(store.claim(MODEL, WORKER, LEASE_MS)).record.dropped_seeds == (13,)


def test_without_the_last_one_a_queued_job_is_canceled(store: JobStore, redis: Redis) -> None:
    record = submit(store)
    ends = [store.drop_seed(record.id, TENANT, seed, WORK).status for seed in (*SEEDS, SEEDS[-1])]
    assert ends == ["queued", "queued", "canceled", "canceled"]
    assert [kind for kind, _ in events_of(redis, record.id)][-2:] == ["dropped", "completed"]


def test_without_the_last_one_a_running_job_is_to_be_canceled(store: JobStore) -> None:
    claim = start(store, seeds=SEEDS)
    for seed in SEEDS:
        assert not store.beat(claim.record.id, claim.token, LEASE_MS).cancel
        assert store.drop_seed(claim.record.id, TENANT, seed, WORK).status == "running"
    assert store.beat(claim.record.id, claim.token, LEASE_MS).cancel


def test_what_the_job_has_not_and_what_another_tenant_has_are_alike(store: JobStore) -> None:
    record = submit(store)
    for job_id, tenant, seed in (
        (record.id, TENANT, 1),
        (record.id, "globex", 3),
        ("ins_0", TENANT, 3),
    ):
        with pytest.raises(NotFound):
            store.drop_seed(job_id, tenant, seed, WORK)
    assert store.get(record.id).dropped_seeds == ()


def test_of_a_job_that_has_ended_it_is_too_late(store: JobStore) -> None:
    claim = start(store, seeds=SEEDS)
    store.drop_seed(claim.record.id, TENANT, 3, WORK)
    store.commit(claim.record.id, claim.token, result())
    for seed in (3, 13):
        with pytest.raises(WrongState) as refused:
            store.drop_seed(claim.record.id, TENANT, seed, WORK)
        assert refused.value.status == "succeeded"
    canceled = submit(store)
    store.cancel(canceled.id, TENANT)
    with pytest.raises(WrongState):
        store.drop_seed(canceled.id, TENANT, 3, WORK)


def test_less_work_is_charged_for_what_waited_and_none_is_given_back_for_what_ran(store: JobStore) -> None:
    record = submit(store)
    assert store.drop_seed(record.id, TENANT, 3, 60.0, 40.0).work == 60
    claim = must(store.claim(MODEL, WORKER, LEASE_MS))
    assert claim.record.work == 60
    assert store.drop_seed(record.id, TENANT, 13, 30.0, 20.0).work == 60
