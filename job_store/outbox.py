"""Webhook deliveries that are due. A row comes into being in the very script that ends its job."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from redis import Redis

from api_schemas.insertions import WebhookEvent
from job_store.records import moment, pairs
from job_store.server import Server

KEEP_MS = 31 * 86_400_000  # a settled delivery outlives its job, which is kept 30 days at most


@dataclass(frozen=True)
class Delivery:
    """One webhook to send.

    id: the same over all tries
    tries: which try this is, from 1
    taken_at: now, by the server's clock; plan the next try from it
    """

    id: str
    job_id: str
    tenant: str
    event: WebhookEvent
    tries: int
    created_at: datetime
    taken_at: datetime


class Outbox:
    """All deliveries. Any call may raise StoreUnavailable."""

    def __init__(self, redis: Redis) -> None:
        self._server = Server(redis)

    def take(self, limit: int, lease_ms: int) -> list[Delivery]:
        """Those due now, longest due first; unless settled, each is due again when the lease is over."""
        taken_at, *rows = self._server.run("take_deliveries", limit, lease_ms)
        return [_decode(flat, moment(taken_at)) for flat in rows]

    def delivered(self, delivery_id: str) -> None:
        """The receiver has it."""
        self._server.run("settle_delivery", delivery_id, "delivered", "", KEEP_MS)

    def retry(self, delivery_id: str, at: datetime) -> None:
        """The next try is due `at`."""
        self._server.run("retry_delivery", delivery_id, round(at.timestamp() * 1000))

    def dead(self, delivery_id: str, why: str) -> None:
        """No more tries."""
        self._server.run("settle_delivery", delivery_id, "dead", why, KEEP_MS)


def _decode(flat: list[bytes], taken_at: datetime) -> Delivery:
    fields = pairs(flat)
    return Delivery(
        id=fields["id"],
        job_id=fields["job_id"],
        tenant=fields["tenant"],
        event=cast(WebhookEvent, fields["event"]),
        tries=int(fields["tries"]),
        created_at=moment(fields["created_at"]),
        taken_at=taken_at,
    )
