"""What became of an endpoint's deliveries, and sending them again."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from redis import Redis

from api_schemas.base import new_id
from api_schemas.webhooks import DeliveryEvent, DeliveryStatus, WebhookAttempt
from job_store.errors import BadCursor, NotFound
from job_store.keys import Key
from job_store.records import moment, pairs
from job_store.server import Server
from job_store.webhook_endpoints import EndpointRecord

PAGE, SCANNED = 100, 1000  # deliveries read at once, and for one answer
MAX_TESTS = 10  # of an endpoint in a minute


@dataclass(frozen=True)
class DeliveryRecord:
    """A delivery at one moment; next_attempt_at: None when no try is due."""

    id: str
    event: DeliveryEvent
    resource: str
    status: DeliveryStatus
    why: str
    created_at: datetime
    next_attempt_at: datetime | None
    attempts: tuple[WebhookAttempt, ...]


class DeliveryLog:
    """The deliveries of every endpoint. Any call may raise StoreUnavailable."""

    def __init__(self, redis: Redis) -> None:
        self._server = Server(redis)

    def list(
        self,
        endpoint: EndpointRecord,
        limit: int = 20,
        before: str | None = None,
        status: DeliveryStatus | None = None,
    ) -> tuple[builtins.list[DeliveryRecord], str | None]:
        """Newest first, and the cursor to go on `before`, None at the end.

        With `status`, a page may be shorter than `limit` though more follow. Raises BadCursor.
        """
        if before is not None and not (before.isascii() and before.isdigit() and len(before) < 18):
            raise BadCursor(before)
        found: builtins.list[DeliveryRecord] = []
        for _ in range(SCANNED // PAGE):
            page = self._page(endpoint, before)
            for record, before in page:
                if record is not None and status in (None, record.status):
                    found.append(record)
                if len(found) == limit:
                    return found, before
            if len(page) < PAGE:
                return found, None
        return found, before

    def get(self, endpoint: EndpointRecord, message: str) -> DeliveryRecord:
        """One delivery. Raises NotFound."""
        record = self._read(endpoint, [message])[0]
        if record is None:
            raise NotFound(message)
        return record

    def test(self, endpoint: EndpointRecord) -> DeliveryRecord:
        """A test is due to the endpoint, enabled or not. Raises NotFound, RateLimited."""
        message = new_id("msg")
        self._server.run("test_webhook_endpoint", endpoint.id, endpoint.tenant, message, MAX_TESTS)
        return self.get(endpoint, message)

    def replay(self, endpoint: EndpointRecord, message: str) -> DeliveryRecord:
        """A delivery is due again, whatever became of it. Raises NotFound, EndpointDisabled."""
        if not self._server.run("replay_deliveries", endpoint.key, 0, message)[0]:
            raise NotFound(message)
        return self.get(endpoint, message)

    def replay_failed(self, endpoint: EndpointRecord, since: datetime) -> int:
        """All that failed and were made `since` then are due again; how many. Raises EndpointDisabled."""
        first = f"{max(0, since.timestamp()) * 1e6:.0f}"
        words = "ZRANGE", Key.DELIVERIES + endpoint.key, first, "+inf", "BYSCORE"
        messages = [message.decode() for message in self._server.command(*words)]
        pages = [messages[start : start + PAGE] for start in range(0, len(messages), PAGE)] or [[]]
        return sum(self._server.run("replay_deliveries", endpoint.key, 1, *page)[0] for page in pages)

    def _page(
        self, endpoint: EndpointRecord, before: str | None
    ) -> builtins.list[tuple[DeliveryRecord | None, str]]:
        """The next deliveries with their cursors, which are the moments they were made."""
        top = f"({before}" if before else "+inf"
        words = "ZRANGE", Key.DELIVERIES + endpoint.key, top, "-inf", "BYSCORE", "REV", "LIMIT", 0, PAGE
        flat = self._server.command(*words, "WITHSCORES")
        records = self._read(endpoint, [message.decode() for message in flat[::2]])
        return [*zip(records, (score.decode() for score in flat[1::2]), strict=True)]

    def _read(
        self, endpoint: EndpointRecord, messages: Sequence[str]
    ) -> builtins.list[DeliveryRecord | None]:
        rows = self._server.run("read_deliveries", *(f"{endpoint.key}/{message}" for message in messages))
        return [_decode(*row) for row in rows]


def _decode(flat: list[bytes], due: bytes, tries: list[bytes]) -> DeliveryRecord | None:
    if not flat:
        return None
    fields: dict[str, Any] = pairs(flat)
    return DeliveryRecord(
        id=fields["id"],
        event=cast(DeliveryEvent, fields["event"]),
        resource=fields["resource"],
        status=cast(DeliveryStatus, fields["state"]),
        why=fields.get("why", ""),
        created_at=moment(fields["created_at"]),
        next_attempt_at=moment(due) if due else None,
        attempts=tuple(WebhookAttempt.model_validate_json(attempt) for attempt in tries),
    )
