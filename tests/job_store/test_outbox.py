"""The outbox: one row per wanted end, taken under a lease, until settled."""

from __future__ import annotations

from datetime import timedelta

import pytest
from redis import Redis

from job_store.jobs import JobStore
from job_store.keys import Key
from job_store.outbox import Delivery, Outbox
from tests.job_store.samples import LEASE_MS, MAX_CRASHES, TENANT, new_job, pass_time, result, start

HOOK = {"url": "https://example.com/hook"}


@pytest.fixture
def outbox(redis: Redis) -> Outbox:
    return Outbox(redis)


def canceled(store: JobStore) -> str:
    return store.cancel(store.submit(new_job(webhook=HOOK))[0].id, TENANT).id


def take(outbox: Outbox) -> Delivery:
    (delivery,) = outbox.take(10, LEASE_MS)
    return delivery


def test_an_end_that_is_wanted_is_due_at_once(store: JobStore, outbox: Outbox) -> None:
    claim = start(store, webhook=HOOK)
    assert outbox.take(10, LEASE_MS) == []
    for _ in range(2):
        store.commit(claim.record.id, claim.token, result())
    delivery = take(outbox)
    assert (delivery.job_id, delivery.tenant, delivery.event) == (
        claim.record.id,
        TENANT,
        "insertion.succeeded",
    )
    assert delivery.tries == 1
    assert delivery.created_at == store.get(claim.record.id).completed_at
    assert delivery.created_at <= delivery.taken_at


def test_every_way_to_end_is_told(store: JobStore, outbox: Outbox, redis: Redis) -> None:
    canceled(store)
    claim = start(store, webhook=HOOK)
    pass_time(redis, claim.record.id, LEASE_MS)
    store.sweep(max_crashes=1)
    late = store.submit(new_job(webhook=HOOK, deadline_seconds=1))[0]
    pass_time(redis, late.id, 1000)
    store.sweep(MAX_CRASHES)
    events = {delivery.event for delivery in outbox.take(10, LEASE_MS)}
    assert events == {"insertion.canceled", "insertion.failed", "insertion.expired"}


def test_an_end_that_is_not_wanted_is_not_told(store: JobStore, outbox: Outbox) -> None:
    store.cancel(store.submit(new_job())[0].id, TENANT)
    picky = new_job(webhook=HOOK | {"events": ["insertion.succeeded", "insertion.failed"]})
    store.cancel(store.submit(picky)[0].id, TENANT)
    assert outbox.take(10, LEASE_MS) == []


def test_a_taken_delivery_comes_again_under_the_same_id_when_its_sender_dies(
    store: JobStore, outbox: Outbox, redis: Redis
) -> None:
    canceled(store)
    first = take(outbox)
    assert outbox.take(10, LEASE_MS) == []
    redis.zincrby(Key.OUTBOX, -LEASE_MS, first.id)
    second = take(outbox)
    assert (second.id, second.tries) == (first.id, 2)


def test_a_delivery_is_tried_again_when_it_is_time(store: JobStore, outbox: Outbox) -> None:
    canceled(store)
    first = take(outbox)
    outbox.retry(first.id, first.taken_at + timedelta(hours=1))
    assert outbox.take(10, LEASE_MS) == []
    outbox.retry(first.id, first.taken_at)
    assert take(outbox).tries == 2


@pytest.mark.parametrize("settle", [lambda o, d: o.delivered(d), lambda o, d: o.dead(d, "gone")])
def test_a_settled_delivery_stays_settled(store: JobStore, outbox: Outbox, settle) -> None:
    canceled(store)
    delivery = take(outbox)
    settle(outbox, delivery.id)
    outbox.retry(delivery.id, delivery.taken_at)
    outbox.dead(delivery.id, "late news")
    assert outbox.take(10, 0) == []


def test_a_settled_delivery_says_why_for_as_long_as_its_job_is_kept(
    store: JobStore, outbox: Outbox, redis: Redis
) -> None:
    canceled(store)
    delivery = take(outbox)
    outbox.dead(delivery.id, "410 gone")
    assert redis.hget(Key.DELIVERY + delivery.id, "why") == b"410 gone"
    assert redis.ttl(Key.DELIVERY + delivery.id) > 30 * 86_400


def test_so_many_are_taken_longest_due_first(store: JobStore, outbox: Outbox, redis: Redis) -> None:
    jobs = [canceled(store) for _ in range(3)]
    redis.zincrby(Key.OUTBOX, -1000, f"msg_{jobs[2]}")
    assert outbox.take(1, LEASE_MS)[0].job_id == jobs[2]
    assert len(outbox.take(10, LEASE_MS)) == 2
