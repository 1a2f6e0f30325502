"""Whose job is next: shares by weight, caps, and bulk after interactive until it has aged."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from redis import Redis

from api_schemas.insertions import Priority
from job_store.jobs import HEAD_START_MS, JobStore
from job_store.tenants import Limits, Tenants
from tests.job_store.samples import LEASE_MS, MAX_CRASHES, MODEL, WORKER, must, new_job, pass_time, result


@pytest.fixture
def tenants(redis: Redis) -> Tenants:
    return Tenants(redis, Limits())


def submit(store: JobStore, tenant: str, count: int = 1, model: str = MODEL, **fields: Any) -> list[str]:
    return [store.submit(new_job(tenant, model, **fields))[0].id for _ in range(count)]


def claimed(store: JobStore, count: int) -> list[str]:
    """Whose jobs the next claims start."""
    return [must(store.claim(MODEL, WORKER, LEASE_MS)).record.tenant for _ in range(count)]


def test_tenants_take_turns_whoever_came_first(store: JobStore) -> None:
    submit(store, "flood", 10)
    submit(store, "one", 2)
    submit(store, "two", 2)
    assert Counter(claimed(store, 6)) == {"flood": 2, "one": 2, "two": 2}
    assert set(claimed(store, 8)) == {"flood"}


def test_work_counts_not_jobs(store: JobStore) -> None:
    submit(store, "large", 4, seeds=[1, 2, 3])
    submit(store, "small", 12)
    assert Counter(claimed(store, 8)) == {"large": 2, "small": 6}


def test_a_share_is_by_weight(store: JobStore, tenants: Tenants) -> None:
    tenants.put("half", {"weight": 0.5})
    tenants.put("triple", {"weight": 3})
    for tenant in ("half", "one", "triple"):
        submit(store, tenant, 30)
    assert Counter(claimed(store, 18)) == {"half": 2, "one": 4, "triple": 12}


def test_idling_earns_no_credit_and_working_leaves_no_debt(store: JobStore) -> None:
    submit(store, "busy", 20)
    claimed(store, 10)
    submit(store, "late", 10)
    assert Counter(claimed(store, 10)) == {"busy": 5, "late": 5}


def test_nobody_runs_more_than_its_cap(store: JobStore, tenants: Tenants) -> None:
    tenants.put("capped", {"max_running": 2})
    ids = submit(store, "capped", 4)
    submit(store, "free", 2)
    claims = [must(store.claim(MODEL, WORKER, LEASE_MS)) for _ in range(4)]
    assert Counter(claim.record.tenant for claim in claims) == {"capped": 2, "free": 2}
    assert store.claim(MODEL, WORKER, LEASE_MS) is None
    mine = [claim for claim in claims if claim.record.tenant == "capped"]
    store.commit(mine[0].record.id, mine[0].token, result())
    assert must(store.claim(MODEL, WORKER, LEASE_MS)).record.id == ids[2]
    store.release(mine[1].record.id, mine[1].token, crashed=False, max_crashes=MAX_CRASHES)
    assert must(store.claim(MODEL, WORKER, LEASE_MS)).record.id == ids[1]
    assert store.claim(MODEL, WORKER, LEASE_MS) is None
    tenants.put("capped", {"max_running": 3})
    assert must(store.claim(MODEL, WORKER, LEASE_MS)).record.id == ids[3]


def test_a_cap_is_over_all_models(store: JobStore, tenants: Tenants) -> None:
    tenants.put("capped", {"max_running": 1})
    submit(store, "capped", model="large")
    submit(store, "capped")
    running = must(store.claim("large", WORKER, LEASE_MS))
    assert store.claim(MODEL, WORKER, LEASE_MS) is None
    store.canceled(running.record.id, running.token)
    assert claimed(store, 1) == ["capped"]


@pytest.mark.parametrize("first", ["bulk", "interactive"])
def test_interactive_goes_before_bulk_of_others(store: JobStore, first: Priority) -> None:
    second: Priority = "bulk" if first == "interactive" else "interactive"
    for priority in (first, second):
        submit(store, priority, 3, priority=priority)
    assert claimed(store, 6) == ["interactive"] * 3 + ["bulk"] * 3


def test_bulk_that_has_aged_shares_with_a_flood_of_interactive(store: JobStore, redis: Redis) -> None:
    for job_id in submit(store, "bulk", 3, priority="bulk"):
        pass_time(redis, job_id, HEAD_START_MS["bulk"])
    submit(store, "flood", 20)
    assert Counter(claimed(store, 6)) == {"bulk": 3, "flood": 3}


def test_bulk_jobs_share_by_weight_too(store: JobStore, tenants: Tenants) -> None:
    tenants.put("double", {"weight": 2})
    for tenant in ("one", "double"):
        submit(store, tenant, 10, priority="bulk")
    assert Counter(claimed(store, 9)) == {"one": 3, "double": 6}


def test_models_are_shared_each_by_itself(store: JobStore) -> None:
    submit(store, "one", 10, model="large")
    for _ in range(10):
        store.claim("large", WORKER, LEASE_MS)
    submit(store, "one", 4)
    submit(store, "two", 4)
    assert Counter(claimed(store, 4)) == {"one": 2, "two": 2}


def test_what_might_start_is_counted(store: JobStore, tenants: Tenants) -> None:
    tenants.put("capped", {"max_running": 2})
    submit(store, "capped", 4)
    submit(store, "free", 3, priority="bulk")
    assert store.claimable_count(MODEL) == 5
    claimed(store, 2)
    assert store.claimable_count(MODEL) == 3
    assert store.ready_count(MODEL) == 5
