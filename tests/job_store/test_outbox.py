"""The outbox: one row per wanted end, taken under a lease, until settled."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from redis import Redis

from api_schemas.webhooks import WebhookAttempt
from job_store.jobs import JobStore
from job_store.keys import Key
from job_store.outbox import ENDPOINT_SHARE, FAILING, KEPT_TRIES, Delivery, Outbox
from job_store.webhook_endpoints import WebhookEndpoints
from tests.job_store.samples import LEASE_MS, MAX_CRASHES, TENANT, new_job, pass_time, result, start

HOOK = {"url": "https://example.com/hook"}
TRY = WebhookAttempt(at=datetime(2030, 1, 1, tzinfo=UTC), status=500, duration_ms=7)


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
    assert (delivery.resource, delivery.tenant, delivery.event) == (
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
    redis.zincrby(Key.OUTBOX, -LEASE_MS, first.key)
    second = take(outbox)
    assert (second.id, second.tries) == (first.id, 2)


def test_a_delivery_is_tried_again_when_it_is_time(store: JobStore, outbox: Outbox) -> None:
    canceled(store)
    first = take(outbox)
    outbox.retry(first, first.taken_at + timedelta(hours=1), TRY)
    assert outbox.take(10, LEASE_MS) == []
    outbox.retry(first, first.taken_at, TRY)
    assert take(outbox).tries == 2


@pytest.mark.parametrize("settle", [lambda o, d: o.delivered(d, TRY), lambda o, d: o.dead(d, "gone")])
def test_a_settled_delivery_stays_settled(store: JobStore, outbox: Outbox, redis: Redis, settle) -> None:
    canceled(store)
    delivery = take(outbox)
    settle(outbox, delivery)
    state = redis.hget(Key.DELIVERY + delivery.key, "state")
    outbox.retry(delivery, delivery.taken_at, TRY)
    outbox.dead(delivery, "late news")
    outbox.delivered(delivery, TRY)
    assert redis.hget(Key.DELIVERY + delivery.key, "state") == state
    assert outbox.take(10, 0) == []


def test_a_settled_delivery_says_why_for_as_long_as_its_job_is_kept(
    store: JobStore, outbox: Outbox, redis: Redis
) -> None:
    canceled(store)
    delivery = take(outbox)
    outbox.dead(delivery, "10 tries", TRY)
    assert redis.hget(Key.DELIVERY + delivery.key, "why") == b"10 tries"
    assert redis.ttl(Key.DELIVERY + delivery.key) > 30 * 86_400
    assert redis.ttl(Key.ATTEMPTS + delivery.key) > 30 * 86_400


def test_so_many_are_taken_longest_due_first(store: JobStore, outbox: Outbox, redis: Redis) -> None:
    jobs = [canceled(store) for _ in range(3)]
    redis.zincrby(Key.OUTBOX, -1000, f"default/{TENANT}/msg_{jobs[2]}")
    assert outbox.take(1, LEASE_MS)[0].resource == jobs[2]
    assert len(outbox.take(10, LEASE_MS)) == 2


def test_the_failure_of_a_try_that_another_overtook_decides_nothing(
    store: JobStore, outbox: Outbox, redis: Redis
) -> None:
    canceled(store)
    slow = take(outbox)
    redis.zincrby(Key.OUTBOX, -LEASE_MS, slow.key)
    quick = take(outbox)
    outbox.dead(slow, "too late", TRY)
    assert redis.hget(Key.DELIVERY + slow.key, "state") == b"pending"
    outbox.delivered(slow, TRY)
    outbox.dead(quick, "no", TRY)
    assert redis.hget(Key.DELIVERY + slow.key, "state") == b"delivered"


def test_only_so_many_tries_are_kept_and_all_are_counted(
    store: JobStore, outbox: Outbox, redis: Redis
) -> None:
    canceled(store)
    for number in range(1, KEPT_TRIES + 3):
        delivery = take(outbox)
        assert delivery.tries == number
        outbox.retry(delivery, delivery.taken_at, TRY)
    assert redis.llen(Key.ATTEMPTS + delivery.key) == KEPT_TRIES
    outbox.delivered(take(outbox), TRY)
    assert outbox.counts() == {"failed": KEPT_TRIES + 2, "succeeded": 1}


def test_one_endpoint_gets_its_share_of_the_slots_and_others_go_before_its_backlog(
    store: JobStore, outbox: Outbox
) -> None:
    for _ in range(ENDPOINT_SHARE + 3):
        canceled(store)
    other = store.cancel(store.submit(new_job("other", webhook=HOOK))[0].id, "other").id
    taken = outbox.take(16, LEASE_MS)
    assert [delivery.tenant for delivery in taken] == [TENANT] * ENDPOINT_SHARE + ["other"]
    assert taken[-1].resource == other
    assert outbox.take(16, LEASE_MS, {f"default/{TENANT}": ENDPOINT_SHARE}) == []


def test_a_backlog_longer_than_a_look_does_not_hide_the_others(
    store: JobStore, outbox: Outbox, redis: Redis
) -> None:
    for number in range(2500):
        key = f"default/{TENANT}/msg_{number}"
        redis.hset(Key.DELIVERY + key, "state", "pending")
        redis.zadd(Key.OUTBOX, {key: 1})
    other = store.cancel(store.submit(new_job("other", webhook=HOOK))[0].id, "other").id
    full = {f"default/{TENANT}": ENDPOINT_SHARE}
    assert outbox.take(16, LEASE_MS, full) == []
    assert [delivery.resource for delivery in outbox.take(16, LEASE_MS, full)] == [other]
    redis.flushdb()


def test_a_row_without_its_record_is_dropped(outbox: Outbox, redis: Redis) -> None:
    redis.zadd(Key.OUTBOX, {"default/acme/msg_lost": 1})
    assert outbox.take(10, LEASE_MS) == []
    assert redis.zcard(Key.OUTBOX) == 0


@pytest.fixture
def endpoints(redis: Redis) -> WebhookEndpoints:
    return WebhookEndpoints(redis)


def add(endpoints: WebhookEndpoints, *events, tenant: str = TENANT) -> str:
    return endpoints.create(tenant, url="https://example.com/", events=events)[0].id


def test_an_end_is_told_to_every_endpoint_that_wants_to_know_under_one_id(
    store: JobStore, outbox: Outbox, endpoints: WebhookEndpoints
) -> None:
    wanting = {add(endpoints, "insertion.canceled", "insertion.failed") for _ in range(2)}
    add(endpoints, "insertion.succeeded")
    add(endpoints, "insertion.canceled", tenant="other")
    endpoints.change(add(endpoints, "insertion.canceled"), TENANT, enabled=False)
    job_id = canceled(store)
    taken = outbox.take(10, LEASE_MS)
    assert {delivery.endpoint for delivery in taken} == {*wanting, "default"}
    assert {delivery.id for delivery in taken} == {f"msg_{job_id}"}


def test_an_endpoint_that_is_gone_is_disabled_and_the_others_hear_of_it(
    store: JobStore, outbox: Outbox, endpoints: WebhookEndpoints
) -> None:
    listening = add(endpoints, "webhook_endpoint.disabled")
    lost = add(endpoints, "insertion.canceled", "webhook_endpoint.disabled")
    store.cancel(store.submit(new_job())[0].id, TENANT)
    outbox.gone(take(outbox), "410", TRY)
    record = endpoints.get(lost, TENANT)
    assert (record.enabled, record.disabled_reason) == (False, "gone")
    assert record.disabled_at is not None
    told = take(outbox)
    assert (told.endpoint, told.event, told.resource) == (listening, "webhook_endpoint.disabled", lost)
    assert endpoints.change(lost, TENANT, enabled=True).disabled_reason is None


def test_an_endpoint_that_fails_for_days_is_disabled_and_a_success_in_between_saves_it(
    store: JobStore, outbox: Outbox, endpoints: WebhookEndpoints, redis: Redis
) -> None:
    lost = add(endpoints, "insertion.canceled")

    def fail() -> bool:
        delivery = take(outbox)
        outbox.retry(delivery, delivery.taken_at, TRY)
        return endpoints.get(lost, TENANT).enabled

    def days_pass() -> None:
        redis.hincrby(Key.WEBHOOK_ENDPOINT + lost, "failing_since", -round(FAILING.total_seconds() * 1000))

    store.cancel(store.submit(new_job())[0].id, TENANT)
    assert fail()
    days_pass()
    outbox.delivered(take(outbox), TRY)
    assert endpoints.get(lost, TENANT).failing_since is None
    store.cancel(store.submit(new_job())[0].id, TENANT)
    assert fail()
    assert fail()
    days_pass()
    assert not fail()
    assert endpoints.get(lost, TENANT).disabled_reason == "failing"


def test_failures_of_long_ago_do_not_count(
    store: JobStore, outbox: Outbox, endpoints: WebhookEndpoints, redis: Redis
) -> None:
    lost = add(endpoints, "insertion.canceled")
    for _ in range(2):
        store.cancel(store.submit(new_job())[0].id, TENANT)
        outbox.dead(take(outbox), "no", TRY)
        for name in ("failing_since", "failed_at"):
            redis.hincrby(Key.WEBHOOK_ENDPOINT + lost, name, -round(FAILING.total_seconds() * 1000))
    assert endpoints.get(lost, TENANT).enabled


def test_the_default_endpoint_is_never_disabled(
    store: JobStore, outbox: Outbox, endpoints: WebhookEndpoints
) -> None:
    endpoints.rotate("default", TENANT, 0)
    canceled(store)
    outbox.gone(take(outbox), "410", TRY)
    record = endpoints.get("default", TENANT)
    assert (record.enabled, record.disabled_reason, record.failing_since) == (True, None, None)
