"""Endpoints of tenants: made once, changed, rotated, forgotten; nobody sees another's."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from redis import Redis

from job_store.errors import IdempotencyKeyReused, NotFound, TooManyEndpoints
from job_store.keys import Key
from job_store.records import Idempotency
from job_store.webhook_endpoints import MAX_ENDPOINTS, OLD_SECRETS, EndpointRecord, WebhookEndpoints

URL = "https://example.com/hook"


@pytest.fixture
def endpoints(redis: Redis) -> WebhookEndpoints:
    return WebhookEndpoints(redis)


def add(endpoints: WebhookEndpoints, tenant: str = "acme", **fields) -> EndpointRecord:
    return endpoints.create(tenant, **{"url": URL, "events": ["insertion.failed"], **fields})[0]


def test_what_was_made_is_found(endpoints: WebhookEndpoints) -> None:
    made = add(endpoints, description="büro 🐶", events=["insertion.failed", "insertion.expired"])
    assert endpoints.get(made.id, "acme") == made
    assert (made.url, made.description, made.enabled) == (URL, "büro 🐶", True)
    assert made.events == ("insertion.failed", "insertion.expired")
    others = [add(endpoints, enabled=False) for _ in range(3)]
    assert endpoints.list("acme") == [made, *others]


def test_foreign_and_absent_are_alike(endpoints: WebhookEndpoints) -> None:
    made = add(endpoints)
    for endpoint_id in (made.id, "we_absent", "default/acme", ""):
        with pytest.raises(NotFound):
            endpoints.get(endpoint_id, "other")
        with pytest.raises(NotFound):
            endpoints.change(endpoint_id, "other", enabled=False)
        with pytest.raises(NotFound):
            endpoints.rotate(endpoint_id, "other", 0)
        with pytest.raises(NotFound):
            endpoints.delete(endpoint_id, "other")
    assert endpoints.list("other") == []
    assert endpoints.get(made.id, "acme") == made


def test_the_same_idempotency_key_makes_one_endpoint(endpoints: WebhookEndpoints) -> None:
    def make(key: str, fingerprint: str, tenant: str = "acme") -> tuple[str, bool]:
        record, fresh = endpoints.create(
            tenant, url=URL, events=["insertion.failed"], idempotency=Idempotency(key, fingerprint)
        )
        return record.id, fresh

    first, fresh = make("k", "body")
    assert fresh
    assert make("k", "body") == (first, False)
    assert make("k", "body", "other")[1]
    with pytest.raises(IdempotencyKeyReused):
        make("k", "another body")
    endpoints.delete(first, "acme")
    assert make("k", "another body")[1]


def test_a_tenant_has_so_many_and_no_race_makes_more(endpoints: WebhookEndpoints) -> None:
    def create(_: int) -> None:
        with suppress(TooManyEndpoints):
            add(endpoints)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(create, range(2 * MAX_ENDPOINTS)))
    assert len(endpoints.list("acme")) == MAX_ENDPOINTS
    endpoints.delete(endpoints.list("acme")[0].id, "acme")
    add(endpoints)
    add(endpoints, "other")


def test_a_change_leaves_the_rest_and_forgets_old_failures(endpoints: WebhookEndpoints, redis: Redis) -> None:
    made = add(endpoints)
    key = Key.WEBHOOK_ENDPOINT + made.id
    failing = {"failing_since": "1", "disabled_reason": "failing", "disabled_at": "1", "enabled": "0"}
    for name, value in failing.items():
        redis.hset(key, name, value)
    told = endpoints.change(made.id, "acme", description="new")
    assert (told.description, told.url, told.events) == ("new", URL, made.events)
    assert (told.enabled, told.disabled_reason) == (False, "failing")
    moved = endpoints.change(made.id, "acme", url="https://example.org/")
    assert (moved.url, moved.failing_since, moved.disabled_reason) == (
        "https://example.org/",
        None,
        "failing",
    )
    healed = endpoints.change(made.id, "acme", enabled=True)
    assert (healed.enabled, healed.disabled_reason, healed.disabled_at) == (True, None, None)


def test_old_secrets_sign_until_their_end(endpoints: WebhookEndpoints, redis: Redis) -> None:
    made = add(endpoints)
    now = datetime.now(UTC)
    first = endpoints.rotate(made.id, "acme", 3600)
    assert first.secret_ids(now) == [first.secret_id, made.secret_id]
    assert first.secret_ids(now + timedelta(hours=2)) == [first.secret_id]
    second = endpoints.rotate(made.id, "acme", 60)
    assert second.secret_ids(now) == [second.secret_id, first.secret_id, made.secret_id]
    assert second.secret_ids(now + timedelta(minutes=2)) == [second.secret_id]
    leaked = endpoints.rotate(made.id, "acme", 0)
    assert leaked.secret_ids(datetime.now(UTC) + timedelta(milliseconds=1)) == [leaked.secret_id]
    for _ in range(OLD_SECRETS + 2):
        last = endpoints.rotate(made.id, "acme", 60)
    assert len(last.secret_ids(now)) == OLD_SECRETS + 1


def test_the_default_endpoint_is_always_there_and_the_tenants_own(endpoints: WebhookEndpoints) -> None:
    before = endpoints.get("default", "acme")
    assert (before.url, before.created_at, before.events, before.key) == (None, None, (), "default/acme")
    rotated = endpoints.rotate("default", "acme", 60)
    assert endpoints.get("default", "acme") == rotated
    assert rotated.secret_ids(datetime.now(UTC)) == [rotated.secret_id, before.secret_id]
    assert endpoints.get("default", "other").secret_id == before.secret_id
    assert endpoints.list("acme") == []
    with pytest.raises(NotFound):
        endpoints.delete("default", "acme")
