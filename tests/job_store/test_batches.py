"""Batches in the store: which line became what."""

from __future__ import annotations

import pytest
from redis import Redis

from api_schemas.base import new_id
from api_schemas.errors import Problem
from job_store.batches import BatchStore
from job_store.errors import IdempotencyKeyReused, NotFound
from job_store.keys import Key
from job_store.records import Idempotency
from tests.job_store.samples import TENANT

PROBLEM = Problem(title="No", status=422, code="invalid_request", detail="because")


@pytest.fixture
def batches(redis: Redis) -> BatchStore:
    return BatchStore(redis)


def test_each_line_is_noted_for_what_it_became(batches: BatchStore, redis: Redis) -> None:
    batch = batches.create(new_id("bat"), TENANT, 3)
    assert not batches.note(batch.id, 1, "ins_1")
    batches.note(batch.id, 3, PROBLEM)
    batches.cancel(batch.id, TENANT)
    found = batches.get(batch.id, TENANT)
    assert (found.jobs, found.refused, found.left, found.canceled) == ({1: "ins_1"}, {3: PROBLEM}, [2], True)
    assert batches.note(batch.id, 2, "ins_2"), "it was canceled"
    assert redis.pexpiretime(Key.BATCH_LINES + batch.id) == redis.pexpiretime(Key.BATCH + batch.id)


def test_a_key_makes_one_batch(batches: BatchStore) -> None:
    once = Idempotency("k", "f")
    one, same = (batches.create(new_id("bat"), TENANT, 2, once) for _ in range(2))
    assert one == same
    with pytest.raises(IdempotencyKeyReused):
        batches.create(new_id("bat"), TENANT, 2, Idempotency("k", "g"))


def test_pages_and_tenants(batches: BatchStore, redis: Redis) -> None:
    made = [batches.create(new_id("bat"), TENANT, 1).id for _ in range(3)]
    first, cursor = batches.list(TENANT, 2)
    rest, end = batches.list(TENANT, 2, cursor)
    assert ([batch.id for batch in first + rest], end) == (made[::-1], None)
    for refused in (lambda: batches.get(made[0], "other"), lambda: batches.cancel(made[0], "other")):
        with pytest.raises(NotFound):
            refused()
    redis.delete(Key.BATCH + made[0])
    with pytest.raises(NotFound):
        batches.note(made[0], 1, "ins_1")
    assert [batch.id for batch in batches.list(TENANT)[0]] == [made[2], made[1]]
