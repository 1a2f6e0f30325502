"""Tells tenants' servers of a job's end: signed, at least once, under one id (Standard Webhooks 1.0)."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import structlog
from redis import Redis
from standardwebhooks.webhooks import Webhook

from api_schemas.webhooks import WebhookBody
from job_store.errors import NotFound
from job_store.jobs import JobStore
from job_store.links import sign
from job_store.outbox import Delivery, Outbox
from job_store.records import JobRecord
from job_store.views import to_job
from runtime.egress import EgressError, EgressRefused, EgressResponse, post
from runtime.settings import Settings
from workers.outage import OUTAGES, Backoff
from workers.shutdown import Shutdown

SLOTS = 16  # deliveries under way at a time: slow receivers take slots, not the others' time
POLL_SECONDS = 0.5
JITTER = 0.2  # a delay may be this much longer, so that receivers coming back are not met by all at once
LONGEST_WISH = timedelta(days=1)  # of a receiver's Retry-After

log = structlog.get_logger()


@dataclass(frozen=True)
class Delivered:
    """The receiver has it."""


@dataclass(frozen=True)
class Dead:
    """No more tries."""

    why: str


@dataclass(frozen=True)
class Retry:
    """The next try."""

    at: datetime


class WebhookSender:
    """Call `send` for ever."""

    def __init__(self, settings: Settings, redis: Redis) -> None:
        self._settings, self._jobs, self._outbox = settings, JobStore(redis), Outbox(redis)
        self._pool = ThreadPoolExecutor(SLOTS, thread_name_prefix="webhook")
        self._under_way: set[Future[None]] = set()

    def send(self, shutdown: Shutdown) -> None:
        """Send what is due until asked to stop. Without a secret all wait: unsigned ones are worthless."""
        if not self._settings.webhook_secret.get_secret_value():
            log.warning("webhooks are not sent: no webhook_secret")
            return
        backoff = Backoff()
        while not shutdown.asked:
            try:
                self._fill()
                backoff.reset()
            except OUTAGES as outage:
                log.warning("no store", error=str(outage))
                shutdown.wait(backoff.next())
                continue
            if self._under_way:
                _, self._under_way = wait(self._under_way, POLL_SECONDS, FIRST_COMPLETED)
            else:
                shutdown.wait(POLL_SECONDS)

    def _fill(self) -> None:
        """Take a delivery for every free slot. It is due again should we die before noting its fate."""
        lease_ms = round(2000 * self._settings.webhook_timeout_seconds) + 10_000
        free = SLOTS - len(self._under_way)
        for delivery in self._outbox.take(free, lease_ms) if free else []:
            self._under_way.add(self._pool.submit(self._deliver, delivery))

    def _deliver(self, delivery: Delivery) -> None:
        try:
            fate = self._try(delivery)
            log.info(
                "webhook tried",
                delivery=delivery.id,
                job_id=delivery.job_id,
                tries=delivery.tries,
                fate=str(fate),
            )
            match fate:
                case Delivered():
                    self._outbox.delivered(delivery.id)
                case Retry(at):
                    self._outbox.retry(delivery.id, at)
                case Dead(why):
                    self._outbox.dead(delivery.id, why)
        except OUTAGES:
            log.warning("webhook's fate not noted: no store", delivery=delivery.id)
        except Exception:
            log.exception("webhook not sent", delivery=delivery.id)

    def _try(self, delivery: Delivery) -> Delivered | Dead | Retry:
        try:
            record = self._jobs.get(delivery.job_id)
        except NotFound:
            return Dead("the job was deleted")
        if record.request.webhook is None:
            return Dead("the job has no webhook")
        body = body_of(delivery, record, self._settings)
        secrets = self._settings.webhook_secret.get_secret_value().split()
        headers = signed(delivery.id, body, secrets, datetime.now(UTC))
        try:
            response = self._post(str(record.request.webhook.url), body, headers)
        except EgressRefused as error:
            return Dead(str(error))
        except EgressError:
            response = None
        return decide(response, delivery, self._settings.webhook_schedule)

    def _post(self, url: str, body: bytes, headers: dict[str, str]) -> EgressResponse:
        settings = self._settings
        return post(url, body, headers, settings.webhook_timeout_seconds, settings.allow_loopback_egress)


def body_of(delivery: Delivery, record: JobRecord, settings: Settings) -> bytes:
    """The thin body: the job as the API shows it, pictures as links that are fresh at this try."""
    now, secret = delivery.taken_at.timestamp(), settings.signing_secret.get_secret_value()
    base_url = settings.public_url or f"http://{settings.host}:{settings.port}"
    job = to_job(record, 0, lambda key: sign(key, secret, now, settings.link_seconds), base_url)
    return (
        WebhookBody(type=delivery.event, timestamp=delivery.created_at, data=job).model_dump_json().encode()
    )


def signed(delivery_id: str, body: bytes, secrets: Sequence[str], now: datetime) -> dict[str, str]:
    """The headers of a delivery; several secrets give several signatures, for changing them over."""
    now = now.astimezone(UTC)  # the library takes any time for UTC
    return {
        "content-type": "application/json",
        "user-agent": "addit-webhooks",
        "webhook-id": delivery_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(
            Webhook(secret).sign(delivery_id, now, body.decode()) for secret in secrets
        ),
    }


def decide(
    response: EgressResponse | None, delivery: Delivery, schedule: Sequence[float]
) -> Delivered | Dead | Retry:
    """What follows from a try's answer, None where there was none. A redirect is a failure like any other."""
    if response is not None and 200 <= response.status < 300:
        return Delivered()
    if response is not None and response.status == 410:
        return Dead("the receiver is gone (410)")
    if delivery.tries >= len(schedule):
        return Dead(f"{delivery.tries} tries")
    delay = timedelta(seconds=schedule[delivery.tries] * random.uniform(1, 1 + JITTER))
    wish = retry_after(response.headers, delivery.taken_at) if response is not None else timedelta()
    return Retry(delivery.taken_at + max(delay, min(wish, LONGEST_WISH)))


def retry_after(headers: Mapping[str, str], now: datetime) -> timedelta:
    """How long the receiver asks to be left alone: seconds or a date (RFC 9110, 10.2.3)."""
    value = headers.get("retry-after", "")
    try:
        return timedelta(seconds=int(value)) if value.isdigit() else parsedate_to_datetime(value) - now
    except (ValueError, TypeError, OverflowError):
        return timedelta()
