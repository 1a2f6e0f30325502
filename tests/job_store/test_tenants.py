"""What tenants may do, and how it is held."""

from __future__ import annotations

import pytest
from redis import Redis

from job_store.errors import QuotaExceeded, RateLimited
from job_store.jobs import JobStore
from job_store.keys import Key
from job_store.records import Idempotency
from job_store.tenants import Limits, Tenants, work_of
from tests.job_store.samples import LEASE_MS, MODEL, TENANT, WORKER, new_job, request


@pytest.fixture
def tenants(redis: Redis) -> Tenants:
    return Tenants(redis, Limits())


def test_limits_are_the_usual_ones_but_for_what_is_set(tenants: Tenants) -> None:
    assert tenants.get(TENANT).limits == Limits()
    changed = tenants.put(TENANT, {"weight": 2.5, "max_running": 3})
    assert (changed.limits, changed.own) == (
        Limits(weight=2.5, max_running=3),
        frozenset({"weight", "max_running"}),
    )
    assert tenants.put(TENANT, {}).limits == Limits()
    assert [tenant.name for tenant in tenants.all()] == [TENANT]


def test_what_it_has_is_counted(store: JobStore, tenants: Tenants) -> None:
    for model in (MODEL, MODEL, "large"):
        store.submit(new_job(model=model))
    store.claim(MODEL, WORKER, LEASE_MS)
    assert (tenants.get(TENANT).queued, tenants.get(TENANT).running) == (2, 1)


def test_no_more_wait_than_may(store: JobStore, tenants: Tenants) -> None:
    tenants.put(TENANT, {"max_queued": 2})
    once = Idempotency("key", "f")
    first, _ = store.submit(new_job(), once)
    store.submit(new_job(model="large"))
    with pytest.raises(QuotaExceeded):
        store.submit(new_job())
    assert store.submit(new_job(), once) == (first, False)
    store.submit(new_job(tenant="other"))
    store.claim(MODEL, WORKER, LEASE_MS)
    store.submit(new_job())


def test_a_minutes_jobs_may_come_at_once_then_one_by_one(
    store: JobStore, tenants: Tenants, redis: Redis
) -> None:
    tenants.put(TENANT, {"per_minute": 3})
    once = Idempotency("key", "f")
    first, _ = store.submit(new_job(), once)
    for _ in range(2):
        store.submit(new_job())
    with pytest.raises(RateLimited) as refused:
        store.submit(new_job())
    assert 19_000 < refused.value.wait_ms <= 20_000
    assert store.submit(new_job(), once) == (first, False)
    store.submit(new_job(tenant="other"))
    redis.incrby(Key.RATE + TENANT, -refused.value.wait_ms * 1000)
    store.submit(new_job())
    with pytest.raises(RateLimited):
        store.submit(new_job())


def test_the_usual_limits_are_those_of_the_settings(redis: Redis) -> None:
    store = JobStore(redis, usual_limits=Limits(max_queued=1))
    store.submit(new_job())
    with pytest.raises(QuotaExceeded):
        store.submit(new_job())


def test_work_is_steps_times_seeds() -> None:
    assert work_of(request(seeds=[1, 2, 3], options={"num_inference_steps": 20})) == 60
    assert work_of(request()) == 1
