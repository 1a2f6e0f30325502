"""Which jobs a list names: by state, by parent, by time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from redis import Redis

from job_store.jobs import JobStore
from job_store.keys import Key
from job_store.listing import EPOCH, Wanted
from job_store.records import NewJob
from tests.job_store.samples import MODEL, TENANT, new_job, request


def ids_of(store: JobStore, wanted: Wanted, limit: int = 20) -> list[str]:
    """Of all pages."""
    found, cursor = store.list(TENANT, limit, None, wanted)
    while cursor:
        more, cursor = store.list(TENANT, limit, cursor, wanted)
        found += more
    return [record.id for record in found]


def test_lists_keep_to_a_parent(store: JobStore) -> None:
    first = store.submit(new_job())[0].id
    children = [
        store.submit(NewJob(f"ins_{n}", TENANT, MODEL, request(), None, parent_id=first))[0].id
        for n in range(3)
    ]
    store.submit(NewJob("ins_x", TENANT, MODEL, request(), None, parent_id="ins_0"))
    assert ids_of(store, Wanted(parent_id=first), limit=2) == children[::-1]
    store.cancel(children[1], TENANT)
    assert ids_of(store, Wanted("canceled", first)) == [children[1]]


def test_ranges_of_time_that_touch_share_no_job(store: JobStore, redis: Redis) -> None:
    ids = [store.submit(new_job())[0].id for _ in range(5)]
    hour = datetime(2026, 3, 1, tzinfo=UTC)
    for n, job_id in enumerate(ids):
        at = (hour + n * timedelta(minutes=1) - EPOCH).total_seconds() * 1e6
        redis.zadd(Key.TENANT + TENANT, {job_id: at})
    middle = hour + timedelta(minutes=2)
    assert ids_of(store, Wanted(created_before=middle), 1) == ids[:2][::-1]
    assert ids_of(store, Wanted(created_after=middle), 1) == ids[2:][::-1]
    both = Wanted(created_after=hour + timedelta(minutes=1), created_before=middle)
    assert ids_of(store, both) == [ids[1]]


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=23, minutes=59)), None])
@pytest.mark.parametrize("year", [1, 9999])
def test_any_moment_is_a_bound(store: JobStore, year: int, zone: timezone | None) -> None:
    job_id = store.submit(new_job())[0].id
    moment = datetime(year, 1, 1, tzinfo=zone)
    assert ids_of(store, Wanted(created_after=moment)) == ([job_id] if year == 1 else [])
    assert ids_of(store, Wanted(created_before=moment)) == ([] if year == 1 else [job_id])
