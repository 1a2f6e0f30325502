"""Tenants' webhook endpoints: addresses that hear of events, each with secrets of its own.

The endpoint `default` of a tenant stands for the webhooks of single requests. It is always there; a record of
it comes into being with its first rotation.
"""

from __future__ import annotations

import builtins
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from redis import Redis

from api_schemas.base import new_id
from api_schemas.webhooks import DEFAULT_ENDPOINT, DisabledReason, EndpointEvent
from job_store.errors import NotFound
from job_store.jobs import IDEMPOTENCY_MS
from job_store.keys import Key
from job_store.records import Idempotency, moment, pairs
from job_store.server import Server

MAX_ENDPOINTS = 10  # of a tenant: each event is written once for each of them
OLD_SECRETS = 4  # that sign at a time: each adds 48 bytes to a header


@dataclass(frozen=True)
class EndpointRecord:
    """An endpoint at one moment.

    url, created_at: None for `default`, which also has no events
    failing_since: the first failure since the last success
    secret_id, old_secrets: which secrets sign (`webhook_secrets`), the old ones with their ends, newest first
    """

    id: str
    tenant: str
    url: str | None
    events: tuple[EndpointEvent, ...]
    description: str
    enabled: bool
    disabled_reason: DisabledReason | None
    disabled_at: datetime | None
    failing_since: datetime | None
    created_at: datetime | None
    secret_id: str
    old_secrets: tuple[tuple[str, datetime], ...]

    @property
    def key(self) -> str:
        """What it is called in the store, and by its secrets: the same for no two tenants."""
        return endpoint_key(self.id, self.tenant)

    def secret_ids(self, now: datetime) -> list[str]:
        """Of the secrets that sign at this moment, newest first."""
        return [self.secret_id, *(secret_id for secret_id, end in self.old_secrets if now < end)]


class WebhookEndpoints:
    """All endpoints. Any call may raise StoreUnavailable; NotFound is for absent and foreign ones alike."""

    def __init__(self, redis: Redis) -> None:
        self._server = Server(redis)

    def create(
        self,
        tenant: str,
        *,
        url: str,
        events: Sequence[EndpointEvent],
        description: str = "",
        enabled: bool = True,
        idempotency: Idempotency | None = None,
    ) -> tuple[EndpointRecord, bool]:
        """A new endpoint, or the one that the same key with the same body made before (then False).

        Raises TooManyEndpoints, IdempotencyKeyReused.
        """
        made, endpoint_id, flat = self._server.run(
            "create_webhook_endpoint", new_id("we"), tenant, url, _spaced(events), description, int(enabled),
            MAX_ENDPOINTS, _hash(idempotency.key) if idempotency else "",
            idempotency.fingerprint if idempotency else "", IDEMPOTENCY_MS,
        )  # fmt: skip
        return _decode(endpoint_id.decode(), tenant, flat), bool(made)

    def get(self, endpoint_id: str, tenant: str) -> EndpointRecord:
        """The tenant's endpoint. Raises NotFound."""
        flat = self._server.run("read_webhook_endpoints", endpoint_key(endpoint_id, tenant))[0]
        if endpoint_id != DEFAULT_ENDPOINT and pairs(flat).get("tenant") != tenant:
            raise NotFound(endpoint_id)
        return _decode(endpoint_id, tenant, flat)

    def list(self, tenant: str) -> builtins.list[EndpointRecord]:
        """A tenant's endpoints, oldest first, without `default`."""
        ids = [member.decode() for member in self._server.command("SMEMBERS", Key.WEBHOOK_ENDPOINTS + tenant)]
        flats = self._server.run("read_webhook_endpoints", *ids)
        found = [_decode(id_, tenant, flat) for id_, flat in zip(ids, flats, strict=True) if flat]
        return sorted(found, key=lambda endpoint: endpoint.created_at or datetime.min)

    def change(
        self,
        endpoint_id: str,
        tenant: str,
        *,
        url: str | None = None,
        events: Sequence[EndpointEvent] | None = None,
        description: str | None = None,
        enabled: bool | None = None,
    ) -> EndpointRecord:
        """Change what is given. A new url and `enabled` start without old failures. Raises NotFound."""
        given = {
            "url": url,
            "events": None if events is None else _spaced(events),
            "description": description,
            "enabled": None if enabled is None else str(int(enabled)),
        }
        words = [word for name, value in given.items() if value is not None for word in (name, value)]
        return _decode(
            endpoint_id, tenant, self._server.run("change_webhook_endpoint", endpoint_id, tenant, *words)[0]
        )

    def rotate(self, endpoint_id: str, tenant: str, overlap_seconds: int) -> EndpointRecord:
        """A new secret; those before sign for `overlap_seconds` more at most. Raises NotFound."""
        flat = self._server.run(
            "rotate_webhook_secret", endpoint_key(endpoint_id, tenant), tenant, secrets.token_hex(8),
            overlap_seconds * 1000, OLD_SECRETS,
        )[0]  # fmt: skip
        return _decode(endpoint_id, tenant, flat)

    def delete(self, endpoint_id: str, tenant: str) -> None:
        """Forget it; what is pending is not sent. Raises NotFound."""
        self._server.run("delete_webhook_endpoint", endpoint_id, tenant)


def endpoint_key(endpoint_id: str, tenant: str) -> str:
    """The name of an endpoint in the store; `default` is another one for each tenant."""
    return f"{DEFAULT_ENDPOINT}/{tenant}" if endpoint_id == DEFAULT_ENDPOINT else endpoint_id


def _spaced(events: Sequence[EndpointEvent]) -> str:
    """As the scripts look an event up: each with a space after it."""
    return "".join(f"{event} " for event in dict.fromkeys(events))


def _hash(key: str) -> str:
    """Not that of a job's idempotency key, which may read the same."""
    return hashlib.sha256(f"webhook endpoint {key}".encode()).hexdigest()


def _decode(endpoint_id: str, tenant: str, flat: Sequence[bytes]) -> EndpointRecord:
    fields = pairs(flat)
    return EndpointRecord(
        id=endpoint_id,
        tenant=tenant,
        url=fields.get("url"),
        events=cast(tuple[EndpointEvent, ...], tuple(fields.get("events", "").split())),
        description=fields.get("description", ""),
        enabled=fields.get("enabled", "1") == "1",
        disabled_reason=cast(DisabledReason | None, fields.get("disabled_reason")),
        disabled_at=_time(fields, "disabled_at"),
        failing_since=_time(fields, "failing_since"),
        created_at=_time(fields, "created_at"),
        secret_id=fields.get("secret_id", ""),
        old_secrets=tuple(
            (secret_id, moment(end))
            for secret_id, _, end in (word.partition(":") for word in fields.get("old_secrets", "").split())
        ),
    )


def _time(fields: Mapping[str, str], name: str) -> datetime | None:
    return moment(fields[name]) if name in fields else None
