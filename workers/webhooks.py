"""Tells tenants' servers what happened: signed, at least once, under one id (Standard Webhooks 1.0)."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

import structlog
from redis import Redis

from api_schemas.webhooks import WebhookAttempt
from job_store.outbox import Delivery, Outbox
from job_store.webhook_endpoints import endpoint_key
from runtime.egress import EgressError, EgressRefused, EgressResponse, post
from runtime.settings import Settings
from workers.outage import OUTAGES, Backoff
from workers.shutdown import Shutdown
from workers.webhook_requests import Undeliverable, WebhookRequest, WebhookRequests
from workers.webhook_spans import tell_answer, traced, try_span

SLOTS = 16  # deliveries under way at a time: slow receivers take slots, not the others' time
POLL_SECONDS = 0.5
JITTER = 0.2  # a delay may be this much longer, so that receivers coming back are not met by all at once
LONGEST_WISH = timedelta(days=1)  # of a receiver's Retry-After
GONE = 410

log = structlog.get_logger()


@dataclass(frozen=True)
class Delivered:
    """The receiver has it."""


@dataclass(frozen=True)
class Dead:
    """No more tries. gone: the receiver says that it wants no others either."""

    why: str
    gone: bool = False


@dataclass(frozen=True)
class Retry:
    """The next try."""

    at: datetime


Fate = Delivered | Dead | Retry


@dataclass(frozen=True)
class Answer:
    """What a POST led to: a response or an error.

    seconds: it took; refused: nothing was sent and nothing ever will be
    """

    seconds: float
    response: EgressResponse | None = None
    error: str | None = None
    refused: bool = False


class WebhookSender:
    """Call `send` for ever, or `deliver` what `Outbox.take` gave."""

    def __init__(self, settings: Settings, redis: Redis) -> None:
        self._settings, self._outbox = settings, Outbox(redis)
        self._requests = WebhookRequests(settings, redis)
        self._pool = ThreadPoolExecutor(SLOTS, thread_name_prefix="webhook")
        self._under_way: dict[Future[None], str] = {}

    def send(self, shutdown: Shutdown) -> None:
        """Send what is due until asked to stop. Without a secret all wait: unsigned ones are worthless."""
        if not self._settings.webhook_masters:
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
                done, _ = wait(self._under_way, POLL_SECONDS, FIRST_COMPLETED)
                for future in done:
                    del self._under_way[future]
            else:
                shutdown.wait(POLL_SECONDS)

    def deliver(self, delivery: Delivery) -> None:
        """One try, noted in the log. Raises nothing: what is not noted is due again."""
        try:
            self._try(delivery)
        except OUTAGES:
            log.warning("webhook's fate not noted: no store", delivery=delivery.key)
        except Exception:
            log.exception("webhook not sent", delivery=delivery.key)

    def _fill(self) -> None:
        """Take a delivery for every free slot. It is due again should we die before noting its fate."""
        lease_ms = round(2000 * self._settings.webhook_timeout_seconds) + 10_000
        free = SLOTS - len(self._under_way)
        busy = Counter(self._under_way.values())
        for delivery in self._outbox.take(free, lease_ms, busy) if free else []:
            future = self._pool.submit(self.deliver, delivery)
            self._under_way[future] = endpoint_key(delivery.endpoint, delivery.tenant)

    def _try(self, delivery: Delivery) -> None:
        try:
            request = self._requests.make(delivery)
        except Undeliverable as reason:
            self._note(delivery, Dead(str(reason)), None)
            return
        with try_span(delivery, request.headers.get("traceparent")) as span:
            answer = self._post(request)
            fate = decide(answer, delivery, self._settings.webhook_schedule)
            self._note(delivery, fate, to_attempt(answer, delivery.taken_at))
            tell_answer(span, answer.response.status if answer.response else None, fate == Delivered())

    def _note(self, delivery: Delivery, fate: Fate, attempt: WebhookAttempt | None) -> None:
        match fate, attempt:
            case Delivered(), WebhookAttempt():
                self._outbox.delivered(delivery, attempt)
            case Retry(at), WebhookAttempt():
                self._outbox.retry(delivery, at, attempt)
            case Dead(why, gone=True), WebhookAttempt():
                self._outbox.gone(delivery, why, attempt)
            case Dead(why), _:
                self._outbox.dead(delivery, why, attempt)
        log.info(
            "webhook tried",
            delivery=delivery.key,
            webhook_event=delivery.event,
            job_id=delivery.job_id,
            tries=delivery.tries,
            status=attempt.status if attempt else None,
            fate=str(fate),
        )

    def _post(self, request: WebhookRequest) -> Answer:
        settings, began = self._settings, time.monotonic()
        try:
            response = post(
                request.url, request.body, traced(request.headers), settings.webhook_timeout_seconds,
                settings.allow_loopback_egress,
            )  # fmt: skip
        except EgressError as error:
            refused = isinstance(error, EgressRefused)
            return Answer(time.monotonic() - began, error=str(error), refused=refused)
        return Answer(time.monotonic() - began, response)


def to_attempt(answer: Answer, at: datetime) -> WebhookAttempt:
    """The try as the log shows it."""
    response = answer.response
    return WebhookAttempt(
        at=at,
        status=response.status if response else None,
        duration_ms=round(answer.seconds * 1000),
        error=answer.error,
        answer=response.excerpt.decode(errors="replace") if response else "",
    )


def decide(answer: Answer, delivery: Delivery, schedule: Sequence[float]) -> Fate:
    """What follows from a try. A redirect is a failure like any other; a test is tried once."""
    response = answer.response
    if answer.refused:
        return Dead(f"the address {answer.error}")
    if response is not None and 200 <= response.status < 300:
        return Delivered()
    if response is not None and response.status == GONE:
        return Dead("the receiver is gone (410)", gone=True)
    if delivery.event == "webhook_endpoint.test":
        return Dead("the test failed")
    if delivery.tries >= len(schedule):
        return Dead(f"{delivery.tries} tries")
    longer = random.uniform(1, 1 + JITTER)  # nosec B311 # jitter
    delay = timedelta(seconds=schedule[delivery.tries] * longer)
    wish = retry_after(response.headers, delivery.taken_at) if response is not None else timedelta()
    return Retry(delivery.taken_at + max(delay, min(wish, LONGEST_WISH)))


def retry_after(headers: Mapping[str, str], now: datetime) -> timedelta:
    """How long the receiver asks to be left alone: seconds or a date (RFC 9110, 10.2.3)."""
    value = headers.get("retry-after", "")
    try:
        return timedelta(seconds=int(value)) if value.isdigit() else parsedate_to_datetime(value) - now
    except (ValueError, TypeError, OverflowError):
        return timedelta()
