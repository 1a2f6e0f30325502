"""An endpoint as its tenant sees it."""

from __future__ import annotations

from datetime import timedelta

from redis import Redis

from job_store.clock import server_now
from job_store.webhook_endpoints import WebhookEndpoints
from job_store.webhook_views import to_endpoint


def test_an_overlap_is_told_until_it_ends(redis: Redis) -> None:
    endpoints, now = WebhookEndpoints(redis), server_now(redis)
    made = endpoints.create("acme", url="https://example.com/", events=["insertion.failed"])[0]
    assert to_endpoint(made, now).old_secrets_until is None
    endpoints.rotate(made.id, "acme", 60)
    rotated = endpoints.rotate(made.id, "acme", 3600)
    ends = to_endpoint(rotated, now).old_secrets_until
    assert ends is not None
    assert timedelta(seconds=3599) < ends - now < timedelta(seconds=3610)
    assert to_endpoint(rotated, now + timedelta(hours=2)).old_secrets_until is None


def test_nothing_of_a_secret_is_told(redis: Redis) -> None:
    rotated = WebhookEndpoints(redis).rotate("default", "acme", 60)
    assert rotated.secret_id not in to_endpoint(rotated, server_now(redis)).model_dump_json()
