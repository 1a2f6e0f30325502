"""Deliveries to endpoints over a real Valkey and real sockets; time passes by moving what the store noted."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from api_schemas.base import new_id
from api_schemas.webhooks import EndpointDisabledBody, EndpointEvent, EndpointTestBody, WebhookBody
from job_store.clock import server_now
from job_store.delivery_log import DeliveryLog, DeliveryRecord
from job_store.jobs import JobStore
from job_store.keys import Key
from job_store.outbox import FAILING, Outbox
from job_store.records import NewJob
from job_store.server import Server
from job_store.webhook_endpoints import EndpointRecord, WebhookEndpoints
from job_store.webhook_secrets import derived_secret
from runtime.settings import Settings
from runtime.valkey import EmbeddedValkey
from tests.figures import Figure
from tests.job_store.samples import MODEL, TENANT, request
from tests.workers.fleet import short
from tests.workers.receiver import RUDE, Receiver, receiver, rude_receiver
from workers.webhooks import JITTER, WebhookSender

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
LEASE_MS = 60_000
METADATA = (
    "http://169.254.169.254/latest/meta-data/",
    "https://169.254.169.254/",
    "http://[::ffff:a9fe:a9fe]/",
)
"""Where clouds keep their machines' secrets."""


class Sending:
    """A sender and a tenant, and a clock that goes when it is told to."""

    def __init__(self, settings: Settings, redis: Redis) -> None:
        self.settings, self.redis = settings, redis
        self.sender, self.outbox = WebhookSender(settings, redis), Outbox(redis)
        self.endpoints, self.log, self.jobs = WebhookEndpoints(redis), DeliveryLog(redis), JobStore(redis)

    def add(self, url: str, *events, tenant: str = TENANT) -> EndpointRecord:
        wanted: tuple[EndpointEvent, ...] = events or ("insertion.canceled",)
        return self.endpoints.create(tenant, url=url, events=wanted)[0]

    def cancel_a_job(self, **fields) -> str:
        """A job ends; the message's id."""
        job = NewJob(new_id("ins"), TENANT, MODEL, request(**fields), None, traceparent=TRACE)
        self.jobs.submit(job)
        self.jobs.cancel(job.id, TENANT)
        return f"msg_{job.id}"

    def send(self) -> int:
        """Everything that is due, once; how many it was."""
        due = self.outbox.take(16, LEASE_MS)
        for delivery in due:
            self.sender.deliver(delivery)
        return len(due)

    def until_next_try(self) -> timedelta:
        """Let time pass until something is due; how long that was."""
        server = Server(self.redis)
        rows = server.command("ZRANGE", Key.OUTBOX, 0, -1, "WITHSCORES")
        ms = int(rows[1]) - round(server_now(self.redis).timestamp() * 1000) + 1
        if ms <= 0:
            return timedelta()
        for delivery in rows[::2]:
            server.command("ZINCRBY", Key.OUTBOX, -ms, delivery)
        for key in self.redis.scan_iter(f"{Key.WEBHOOK_ENDPOINT}*"):
            for name in ("failing_since", "failed_at"):
                if self.redis.hexists(key, name):
                    self.redis.hincrby(key, name, -ms)
        return timedelta(milliseconds=ms)

    def secret(self, endpoint: EndpointRecord) -> str:
        return derived_secret(self.settings.webhook_masters[0], endpoint.key, endpoint.secret_id)

    def fate(self, endpoint: EndpointRecord, message: str) -> DeliveryRecord:
        return self.log.get(endpoint, message)


@pytest.fixture
def sending_with(valkey: EmbeddedValkey, redis: Redis, tmp_path: Path) -> Callable[..., Sending]:
    return lambda **changes: Sending(short(valkey.url, tmp_path, **changes), redis)


@pytest.fixture
def sending(sending_with: Callable[..., Sending]) -> Sending:
    return sending_with(webhook_schedule=Settings().webhook_schedule)


def verified(got: Receiver, number: int, secret: str) -> dict:
    """The body, as the official library sees it. Raises WebhookVerificationError."""
    _, headers, body = got.requests[number]
    told: dict = Webhook(secret).verify(body, headers)
    assert told == json.loads(body)
    return told


def exhausted(sending: Sending) -> timedelta:
    """Let the whole schedule go by; how long it was."""
    waits = []
    for planned in Settings().webhook_schedule:
        waits.append(sending.until_next_try())
        assert timedelta(seconds=planned * 0.99 - 1) <= waits[-1]
        assert waits[-1] <= timedelta(seconds=planned * (1 + JITTER) + 1)
        assert sending.send() == 1
    return sum(waits, timedelta())


@pytest.mark.fault(35)
def test_each_endpoint_gets_the_job_under_its_own_secret_with_its_trace(sending: Sending) -> None:
    with receiver(204) as one, receiver(200) as two:
        first, second = sending.add(one.url), sending.add(two.url)
        message = sending.cancel_a_job(metadata={"order": "4711 ü"})
        assert sending.send() == 2
        assert one.ids == two.ids == [message]
        told = WebhookBody.model_validate(verified(one, 0, sending.secret(first)))
        assert (told.type, told.data.metadata) == ("insertion.canceled", {"order": "4711 ü"})
        verified(two, 0, sending.secret(second))
        with pytest.raises(WebhookVerificationError):
            verified(two, 0, sending.secret(first))
    assert {headers["traceparent"] for _, headers, _ in one.requests} == {TRACE}
    assert sending.fate(first, message).status == "delivered"


@pytest.mark.fault(35)
def test_old_and_new_secret_sign_until_the_overlap_ends(sending: Sending) -> None:
    with receiver(204) as got:
        before = sending.add(got.url)
        after = sending.endpoints.rotate(before.id, TENANT, 3600)
        sending.cancel_a_job()
        sending.send()
        assert len(got.requests[0][1]["webhook-signature"].split()) == 2
        for record in (before, after):
            verified(got, 0, sending.secret(record))
        last = sending.endpoints.rotate(before.id, TENANT, 0)
        sending.cancel_a_job()
        sending.send()
        assert len(got.requests[1][1]["webhook-signature"].split()) == 1
        verified(got, 1, sending.secret(last))


def test_an_operators_new_secret_signs_beside_the_old_one(sending_with: Callable[..., Sending]) -> None:
    old = sending_with(webhook_secret="whsec_old")
    sending = sending_with(webhook_secret="whsec_new whsec_old")
    with receiver(204) as got:
        endpoint = sending.add(got.url)
        sending.cancel_a_job()
        sending.send()
        for secret in (old.secret(endpoint), sending.secret(endpoint)):
            verified(got, 0, secret)


def test_a_requests_own_webhook_is_signed_with_its_tenants_default_secret(sending: Sending) -> None:
    with receiver(500, 204) as got:
        default = sending.endpoints.get("default", TENANT)
        message = sending.cancel_a_job(webhook={"url": got.url})
        sending.send()
        verified(got, 0, sending.secret(default))
        rotated = sending.endpoints.rotate("default", TENANT, 0)
        sending.until_next_try()
        sending.send()
        verified(got, 1, sending.secret(rotated))
    other = sending.endpoints.get("default", "other")
    assert sending.secret(other) != sending.secret(default)
    assert [attempt.status for attempt in sending.fate(default, message).attempts] == [500, 204]


@pytest.mark.fault(32)
def test_the_whole_schedule_ends_in_a_disabled_endpoint_of_which_the_others_hear(sending: Sending) -> None:
    with receiver(503) as broken, receiver(204) as sound:
        failing = sending.add(broken.url)
        sending.add(sound.url, "webhook_endpoint.disabled")
        message = sending.cancel_a_job()
        assert exhausted(sending) > FAILING
        assert broken.ids == [message] * 10
        fate = sending.fate(failing, message)
        assert (fate.status, fate.why, len(fate.attempts)) == ("failed", "10 tries", 10)
        record = sending.endpoints.get(failing.id, TENANT)
        assert (record.enabled, record.disabled_reason) == (False, "failing")
        assert sending.send() == 1
    told = EndpointDisabledBody.model_validate_json(sound.requests[0][2])
    assert (told.data.id, told.data.disabled_reason, told.data.enabled) == (failing.id, "failing", False)


@pytest.mark.fault(32)
def test_timeouts_drips_and_resets_end_in_a_dead_letter_after_three_days(
    sending_with: Callable[..., Sending], figure: Figure
) -> None:
    timeout = 0.3
    sending = sending_with(webhook_schedule=Settings().webhook_schedule, webhook_timeout_seconds=timeout)
    tries = len(Settings().webhook_schedule)
    with rude_receiver(RUDE * (tries // len(RUDE))) as url:
        endpoint = sending.add(url)
        message = sending.cancel_a_job()
        hours = exhausted(sending) / timedelta(hours=1)
    fate = sending.fate(endpoint, message)
    assert (fate.status, fate.why) == ("failed", f"{tries} tries")
    assert [attempt.status for attempt in fate.attempts] == [500, None, None, None, None] * 2
    late = [fate.attempts[index].error for index in (1, 2, 6, 7)]
    assert late == ["took too long"] * 4
    assert sending.send() == sending.redis.zcard(Key.OUTBOX) == 0
    figure(32, "tries", len(fate.attempts))
    figure(32, "hours to the dead letter", hours)
    figure(32, "longest try over its time", max(a.duration_ms for a in fate.attempts) / 1000 - timeout)


@pytest.mark.fault(33)
def test_no_redirect_is_followed_wherever_it_leads(
    sending: Sending, monkeypatch: pytest.MonkeyPatch, figure: Figure
) -> None:
    connected: list[tuple[str, int]] = []
    connect = socket.create_connection

    def spy(address: tuple[str, int], *args: Any, **options: Any) -> socket.socket:
        connected.append(address)
        return connect(address, *args, **options)

    monkeypatch.setattr(socket, "create_connection", spy)
    redirects = (301, 302, 303, 307, 308)
    with receiver(302, location="https://example.com/") as back_to_public:
        for location in (*METADATA, "https://example.com/", "/hook", back_to_public.url):
            with receiver(*redirects, location=location) as got:
                endpoint = sending.add(got.url)
                messages = [sending.cancel_a_job() for _ in redirects]
                while sending.send():  # an endpoint gets but some at a time
                    pass
                assert [path for path, _, _ in got.requests] == ["/hook"] * len(redirects)
                fates = [sending.fate(endpoint, message) for message in messages]
                assert {fate.status for fate in fates} == {"pending"}
                assert sorted(fate.attempts[0].status or 0 for fate in fates) == list(redirects)
                assert {port for _, port in connected} == {int(got.url.split(":")[2].split("/")[0])}
                figure(33, "redirects answered", len(got.requests))
                figure(33, "connections elsewhere", len(connected) - len(redirects))
                connected.clear()
            sending.endpoints.delete(endpoint.id, TENANT)
    assert back_to_public.requests == []


@pytest.mark.fault(34)
def test_a_receivers_wish_to_be_left_alone_is_kept(sending: Sending, figure: Figure) -> None:
    with receiver(503, 204, retry_after="7200") as got:
        endpoint = sending.add(got.url)
        message = sending.cancel_a_job()
        sending.send()
        figure(34, "left alone when asked for 2 h", sending.until_next_try() / timedelta(hours=1) + 0.001)
        sending.send()
    assert sending.fate(endpoint, message).status == "delivered"


@pytest.mark.fault(34)
def test_gone_disables_and_enabling_sends_what_waited(sending: Sending, figure: Figure) -> None:
    with receiver(500, 410, 204) as got:
        endpoint = sending.add(got.url)
        waiting = sending.cancel_a_job()
        sending.send()
        refused = sending.cancel_a_job()
        sending.send()
        assert sending.endpoints.get(endpoint.id, TENANT).disabled_reason == "gone"
        sending.cancel_a_job()
        assert sending.redis.zcard(Key.OUTBOX) == 1
        sending.send()
        figure(34, "requests after a 410", len(got.requests) - 2)
        sending.endpoints.change(endpoint.id, TENANT, enabled=True)
        sending.until_next_try()
        sending.send()
        assert sending.fate(endpoint, waiting).status == "delivered"
        assert sending.fate(endpoint, refused).why == "the receiver is gone (410)"
        assert sending.log.replay_failed(endpoint, datetime.now(UTC) - timedelta(hours=1)) == 1
        sending.send()
    assert got.ids == [waiting, refused, waiting, refused]


def test_a_disabled_endpoint_gets_nothing_but_tests(sending: Sending) -> None:
    with receiver(500, 204) as got:
        endpoint = sending.add(got.url)
        message = sending.cancel_a_job()
        sending.endpoints.change(endpoint.id, TENANT, enabled=False)
        test = sending.log.test(endpoint).id
        sending.send()
        told = EndpointTestBody.model_validate(verified(got, 0, sending.secret(endpoint)))
        assert (told.type, told.data.endpoint_id) == ("webhook_endpoint.test", endpoint.id)
        assert got.ids == [test]
        assert "traceparent" not in got.requests[0][1]
        assert sending.fate(endpoint, test).why == "the test failed"
        fate = sending.fate(endpoint, message)
        assert (fate.why, fate.attempts) == ("the endpoint is disabled", ())
    assert sending.endpoints.get(endpoint.id, TENANT).failing_since is None


@pytest.mark.parametrize(
    ("forget", "why"),
    [
        (lambda s, e, m: s.jobs.delete(m.removeprefix("msg_"), TENANT), "the job was deleted"),
        (lambda s, e, m: s.endpoints.delete(e.id, TENANT), "the endpoint was deleted"),
    ],
)
def test_what_was_deleted_is_not_sent(sending: Sending, forget, why: str) -> None:
    with receiver(204) as got:
        endpoint = sending.add(got.url)
        message = sending.cancel_a_job()
        forget(sending, endpoint, message)
        assert sending.send() == 1
        assert (sending.fate(endpoint, message).why, got.requests) == (why, [])


@pytest.mark.fault(37)
@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://169.254.169.254/", "not public"), ("https://10.0.0.1/", "not public"),
        ("http://93.184.215.14/", "not allowed"), ("https://93.184.215.14:8443/", "not allowed"),
    ],
)  # fmt: skip
def test_an_address_that_may_not_be_reached_is_given_up(
    sending_with: Callable[..., Sending], url: str, why: str
) -> None:
    sending = sending_with(allow_loopback_egress=False)
    endpoint = sending.add(url)
    message = sending.cancel_a_job()
    sending.send()
    fate = sending.fate(endpoint, message)
    assert fate.status == "failed"
    assert why in fate.why
    assert why in (fate.attempts[0].error or "")


def test_the_log_keeps_the_first_bytes_of_an_answer(sending: Sending) -> None:
    with receiver(500) as got:
        got.says = "ü".encode() * 500
        endpoint = sending.add(got.url)
        message = sending.cancel_a_job()
        sending.send()
    (attempt,) = sending.fate(endpoint, message).attempts
    assert (attempt.status, attempt.error, attempt.answer) == (500, None, "ü" * 128)
    assert attempt.duration_ms < 5000
