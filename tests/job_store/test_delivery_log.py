"""The log of an endpoint's deliveries: complete, in pages, bounded; and sending again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from redis import Redis

from api_schemas.webhooks import WebhookAttempt
from job_store.delivery_log import DeliveryLog
from job_store.errors import BadCursor, EndpointDisabled, NotFound
from job_store.jobs import JobStore
from job_store.keys import Key
from job_store.outbox import Delivery, Outbox
from job_store.webhook_endpoints import EndpointRecord, WebhookEndpoints
from tests.job_store.samples import LEASE_MS, TENANT, new_job

TRY = WebhookAttempt(at=datetime(2030, 1, 1, tzinfo=UTC), status=500, duration_ms=7, answer="oh no")
LOG_LENGTH = 1000


@pytest.fixture
def outbox(redis: Redis) -> Outbox:
    return Outbox(redis)


@pytest.fixture
def deliveries(redis: Redis) -> DeliveryLog:
    return DeliveryLog(redis)


@pytest.fixture
def endpoint(redis: Redis) -> EndpointRecord:
    return WebhookEndpoints(redis).create(TENANT, url="https://example.com/", events=["insertion.canceled"])[
        0
    ]


def cancel(store: JobStore) -> str:
    return f"msg_{store.cancel(store.submit(new_job())[0].id, TENANT).id}"


def take(outbox: Outbox) -> Delivery:
    (delivery,) = outbox.take(10, LEASE_MS)
    return delivery


def test_a_delivery_shows_its_tries(
    store: JobStore, outbox: Outbox, deliveries: DeliveryLog, endpoint: EndpointRecord
) -> None:
    message = cancel(store)
    made = deliveries.get(endpoint, message)
    assert (made.status, made.attempts, made.event) == ("pending", (), "insertion.canceled")
    assert made.next_attempt_at == made.created_at
    delivery = take(outbox)
    outbox.retry(delivery, delivery.taken_at + timedelta(hours=1), TRY)
    assert deliveries.get(endpoint, message).next_attempt_at == delivery.taken_at + timedelta(hours=1)
    outbox.delivered(delivery, TRY.model_copy(update={"status": 204}))
    done = deliveries.get(endpoint, message)
    assert (done.status, done.next_attempt_at) == ("delivered", None)
    assert [attempt.status for attempt in done.attempts] == [500, 204]
    assert done.attempts[0] == TRY


def test_pages_give_every_delivery_once_newest_first(
    store: JobStore, outbox: Outbox, deliveries: DeliveryLog, endpoint: EndpointRecord
) -> None:
    messages = [cancel(store) for _ in range(5)]
    (given_up,) = outbox.take(1, LEASE_MS)
    outbox.dead(given_up, "no", TRY)
    seen, cursor = [], None
    while True:
        page, cursor = deliveries.list(endpoint, 2, cursor)
        seen += [record.id for record in page]
        if cursor is None:
            break
    assert seen == messages[::-1]
    failed, _ = deliveries.list(endpoint, 10, status="failed")
    assert [record.id for record in failed] == [given_up.id]
    with pytest.raises(BadCursor):
        deliveries.list(endpoint, 2, "x")


def test_the_log_of_a_flood_is_bounded_and_what_is_pending_stays(
    outbox: Outbox, deliveries: DeliveryLog, endpoint: EndpointRecord, redis: Redis
) -> None:
    first = deliveries.test(endpoint).id
    for _ in range(LOG_LENGTH):
        redis.delete(Key.WEBHOOK_TESTS + endpoint.id)  # a minute later
        message = deliveries.test(endpoint).id
        redis.hset(f"{Key.DELIVERY}{endpoint.id}/{message}", "state", "delivered")
    assert redis.zcard(Key.DELIVERIES + endpoint.id) == LOG_LENGTH
    assert deliveries.get(endpoint, first).status == "pending"
    assert len([*redis.scan_iter(f"{Key.DELIVERY}*", count=1000)]) == LOG_LENGTH


def test_an_expired_delivery_leaves_the_log(
    store: JobStore, outbox: Outbox, deliveries: DeliveryLog, endpoint: EndpointRecord, redis: Redis
) -> None:
    message = cancel(store)
    redis.delete(f"{Key.DELIVERY}{endpoint.id}/{message}")
    assert deliveries.list(endpoint) == ([], None)
    kept = cancel(store)
    assert redis.zrange(Key.DELIVERIES + endpoint.id, 0, -1) == [kept.encode()]


def test_a_replay_starts_the_schedule_anew_and_keeps_the_tries_before(
    store: JobStore, outbox: Outbox, deliveries: DeliveryLog, endpoint: EndpointRecord, redis: Redis
) -> None:
    message = cancel(store)
    for _ in range(3):
        delivery = take(outbox)
        outbox.retry(delivery, delivery.taken_at, TRY)
    outbox.dead(take(outbox), "4 tries", TRY)
    replayed = deliveries.replay(endpoint, message)
    assert (replayed.status, replayed.why, len(replayed.attempts)) == ("pending", "", 4)
    assert redis.ttl(f"{Key.DELIVERY}{endpoint.id}/{message}") == -1
    assert redis.ttl(f"{Key.ATTEMPTS}{endpoint.id}/{message}") == -1
    again = take(outbox)
    assert (again.id, again.tries, again.number) == (message, 1, 5)
    outbox.delivered(again, TRY)
    assert len(deliveries.get(endpoint, message).attempts) == 5
    assert deliveries.replay(endpoint, message).status == "pending"


def test_all_that_failed_since_then_is_replayed(
    store: JobStore, outbox: Outbox, deliveries: DeliveryLog, endpoint: EndpointRecord, redis: Redis
) -> None:
    early, late, fine = (cancel(store) for _ in range(3))
    for delivery in outbox.take(10, LEASE_MS):
        if delivery.id == fine:
            outbox.delivered(delivery, TRY)
        else:
            outbox.dead(delivery, "no", TRY)
    redis.zincrby(Key.DELIVERIES + endpoint.key, -3600e6, early)
    assert deliveries.replay_failed(endpoint, datetime.now(UTC) - timedelta(minutes=1)) == 1
    assert take(outbox).id == late
    assert deliveries.replay_failed(endpoint, datetime(1, 1, 1, tzinfo=UTC)) == 1
    assert take(outbox).id == early


def test_nothing_is_replayed_to_a_disabled_endpoint_but_tested_it_may_be(
    store: JobStore, outbox: Outbox, deliveries: DeliveryLog, endpoint: EndpointRecord, redis: Redis
) -> None:
    message = cancel(store)
    outbox.gone(take(outbox), "410", TRY)
    with pytest.raises(EndpointDisabled):
        deliveries.replay(endpoint, message)
    with pytest.raises(EndpointDisabled):
        deliveries.replay_failed(endpoint, datetime.now(UTC))
    assert deliveries.test(endpoint).event == "webhook_endpoint.test"
    assert take(outbox).event == "webhook_endpoint.test"


def test_what_is_not_there_cannot_be_read_or_replayed(
    deliveries: DeliveryLog, endpoint: EndpointRecord, redis: Redis
) -> None:
    WebhookEndpoints(redis).delete(endpoint.id, TENANT)
    for call in (deliveries.get, deliveries.replay):
        with pytest.raises(NotFound):
            call(endpoint, "msg_absent")
    with pytest.raises(NotFound):
        deliveries.test(endpoint)
