"""Workers hear of every deleted job's source, however late they ask."""

from __future__ import annotations

import pytest
from redis import Redis

from api_schemas.base import new_id
from job_store.forgotten import Forgotten, ForgottenSources
from job_store.jobs import JobStore
from job_store.keys import Key
from job_store.records import JobRecord, NewJob
from tests.job_store.samples import MAX_CRASHES, MODEL, TENANT, pass_time, request


@pytest.fixture
def forgotten(redis: Redis) -> ForgottenSources:
    return ForgottenSources(redis)


def submit(store: JobStore, scene: str) -> JobRecord:
    asked = request(source={"kind": "generated", "prompt": scene}, retain_seconds=60)
    return store.submit(NewJob(new_id("ins"), TENANT, MODEL, asked, source_key=None))[0]


def test_who_remembers_nothing_yet_has_nothing_to_forget(
    store: JobStore, forgotten: ForgottenSources
) -> None:
    assert forgotten.since(None) == Forgotten(0, frozenset())
    store.delete(submit(store, "a bed").id, TENANT)
    assert forgotten.since(None) == Forgotten(1, frozenset())


def test_a_deleted_jobs_source_is_heard_of_by_everybody_once(
    store: JobStore, forgotten: ForgottenSources
) -> None:
    bed, sea, _ = (submit(store, scene) for scene in ("a bed", "a sea", "a room"))
    store.delete(bed.id, TENANT)
    assert forgotten.since(0) == forgotten.since(0) == Forgotten(1, frozenset({bed.source_id}))
    store.delete(sea.id, TENANT)
    assert forgotten.since(1) == Forgotten(2, frozenset({sea.source_id}))
    assert forgotten.since(0) == Forgotten(2, frozenset({bed.source_id, sea.source_id}))
    assert forgotten.since(2) == Forgotten(2, frozenset())


def test_the_end_of_retention_forgets_as_well(
    store: JobStore, forgotten: ForgottenSources, redis: Redis
) -> None:
    bed = submit(store, "a bed")
    store.cancel(bed.id, TENANT)
    pass_time(redis, bed.id, 60_000)
    assert store.sweep(MAX_CRASHES).deleted == (bed.id,)
    assert forgotten.since(0) == Forgotten(1, frozenset({bed.source_id}))


def test_a_source_of_two_jobs_is_forgotten_with_the_first_and_again_with_the_second(
    store: JobStore, forgotten: ForgottenSources
) -> None:
    one, two = submit(store, "a bed"), submit(store, "a bed")
    for number, job in enumerate((one, two)):
        store.delete(job.id, TENANT)
        assert forgotten.since(number) == Forgotten(number + 1, frozenset({one.source_id}))


def test_the_list_is_bounded_and_who_missed_some_of_it_forgets_everything(
    store: JobStore, forgotten: ForgottenSources, redis: Redis
) -> None:
    redis.rpush(Key.FORGOTTEN, *(f"source {number}" for number in range(1, 10_001)))
    redis.set(Key.FORGOTTEN_NUMBER, 10_000)
    bed = submit(store, "a bed")
    store.delete(bed.id, TENANT)
    assert redis.llen(Key.FORGOTTEN) == 10_000
    assert forgotten.since(0) == Forgotten(10_001, None)
    missed = forgotten.since(1)
    assert missed.source_ids is not None
    assert len(missed.source_ids) == 10_000
    assert forgotten.since(10_000) == Forgotten(10_001, frozenset({bed.source_id}))


def test_of_what_is_listed_no_more_only_the_number_is_left(
    store: JobStore, forgotten: ForgottenSources, redis: Redis
) -> None:
    for scene in ("a bed", "a sea"):
        store.delete(submit(store, scene).id, TENANT)
        assert 0 < redis.pttl(Key.FORGOTTEN) <= 3_600_000
    redis.delete(Key.FORGOTTEN)
    assert forgotten.since(0) == Forgotten(2, None)
    assert forgotten.since(2) == Forgotten(2, frozenset())
    room = submit(store, "a room")
    store.delete(room.id, TENANT)
    assert forgotten.since(1) == Forgotten(3, None)
    assert forgotten.since(2) == Forgotten(3, frozenset({room.source_id}))


def test_after_the_store_was_put_back_to_an_earlier_state_everything_is_forgotten(
    forgotten: ForgottenSources,
) -> None:
    assert forgotten.since(7) == Forgotten(0, None)
