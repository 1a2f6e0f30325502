"""Webhook deliveries that are due. A row comes into being in the very script that ends its job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from redis import Redis

from api_schemas.webhooks import DeliveryEvent, WebhookAttempt
from job_store.keys import Key
from job_store.records import moment, pairs
from job_store.server import Server
from job_store.webhook_endpoints import endpoint_key

KEEP_MS = 31 * 86_400_000  # a settled delivery outlives its job, which is kept 30 days at most
KEPT_TRIES = 30  # of a delivery: three rounds of the schedule
FAILING = timedelta(
    days=3
)  # without a success disables an endpoint: less than the schedule's three days and a bit
QUIET = timedelta(days=2)  # without a failure count as none: more than the schedule's longest delay
ENDPOINT_SHARE = 4  # deliveries to one endpoint under way in one sender


@dataclass(frozen=True)
class Delivery:
    """One message to send to one endpoint.

    id: of the message, the same over all tries and endpoints
    endpoint: its id, or `default`
    resource: the job or endpoint it tells of
    tries: which try this is, from 1 and again from 1 when it is replayed
    number: which try this is of all it ever had
    taken_at: now, by the server's clock; plan the next try from it
    """

    id: str
    endpoint: str
    tenant: str
    event: DeliveryEvent
    resource: str
    tries: int
    number: int
    created_at: datetime
    taken_at: datetime

    @property
    def job_id(self) -> str | None:
        """The job it tells of, if it is one."""
        return self.resource if self.event.startswith("insertion.") else None

    @property
    def key(self) -> str:
        """What it is called in the store."""
        return f"{endpoint_key(self.endpoint, self.tenant)}/{self.id}"


class Outbox:
    """All deliveries that are due. Any call may raise StoreUnavailable."""

    def __init__(self, redis: Redis) -> None:
        self._server = Server(redis)

    def take(self, limit: int, lease_ms: int, under_way: Mapping[str, int] | None = None) -> list[Delivery]:
        """Those due now, longest due first; unless settled, each is due again when the lease is over.

        under_way: endpoints (by `endpoint_key`) and how many deliveries to each the caller has in hand; from
            `ENDPOINT_SHARE` on others go first
        """
        words = [word for pair in (under_way or {}).items() for word in pair]
        taken_at, *rows = self._server.run("take_deliveries", limit, lease_ms, ENDPOINT_SHARE, *words)
        return [_decode(flat, moment(taken_at)) for flat in rows]

    def delivered(self, delivery: Delivery, attempt: WebhookAttempt) -> None:
        """The receiver has it."""
        self._note(delivery, attempt, "delivered", "")

    def retry(self, delivery: Delivery, at: datetime, attempt: WebhookAttempt) -> None:
        """The next try is due `at`. An endpoint that failed for `FAILING` is disabled."""
        self._note(delivery, attempt, "retry", round(at.timestamp() * 1000))

    def dead(self, delivery: Delivery, why: str, attempt: WebhookAttempt | None = None) -> None:
        """No more tries; `attempt` is None if there was nothing to try."""
        self._note(delivery, attempt, "failed", why)

    def gone(self, delivery: Delivery, why: str, attempt: WebhookAttempt) -> None:
        """No more tries, and the endpoint is disabled."""
        self._note(delivery, attempt, "gone", why)

    def size(self) -> int:
        """How many deliveries have a try to come."""
        return int(self._server.command("ZCARD", Key.OUTBOX))

    def counts(self) -> dict[str, int]:
        """How many tries ever `succeeded` and `failed`."""
        flat = self._server.command("HGETALL", Key.WEBHOOK_TRIES)
        return {name.decode(): int(count) for name, count in flat.items()}

    def _note(self, delivery: Delivery, attempt: WebhookAttempt | None, fate: str, detail: str | int) -> None:
        self._server.run(
            "note_try", delivery.key, delivery.number, attempt.model_dump_json() if attempt else "", fate,
            detail, KEEP_MS, KEPT_TRIES, round(FAILING.total_seconds() * 1000),
            round(QUIET.total_seconds() * 1000),
        )  # fmt: skip


def _decode(flat: list[bytes], taken_at: datetime) -> Delivery:
    fields = pairs(flat)
    number = int(fields["tries"])
    return Delivery(
        id=fields["id"],
        endpoint=fields["endpoint"].partition("/")[0],
        tenant=fields["tenant"],
        event=cast(DeliveryEvent, fields["event"]),
        resource=fields["resource"],
        tries=number - int(fields["replayed"]),
        number=number,
        created_at=moment(fields["created_at"]),
        taken_at=taken_at,
    )
