"""Webhook endpoints of the async client: the same calls, awaited."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from api_schemas.webhooks import (
    DeliveryStatus,
    EndpointEvent,
    WebhookDelivery,
    WebhookDeliveryList,
    WebhookEndpoint,
    WebhookEndpointWithSecret,
)
from client import webhook_calls as calls
from client.calls import Call

T = TypeVar("T")


class Send(Protocol):
    """How a client sends a call. Raises ClientError."""

    async def __call__(self, call: Call[T], /) -> T: ...


class AsyncWebhooks:
    """`addit.webhooks`: endpoints, their secrets and the log of their deliveries."""

    def __init__(self, send: Send) -> None:
        self._send = send

    async def list(self) -> builtins.list[WebhookEndpoint]:
        """The tenant's endpoints, oldest first, without `default`."""
        return (await self._send(calls.endpoints())).data

    async def get(self, endpoint_id: str) -> WebhookEndpoint:
        """One endpoint."""
        return await self._send(calls.endpoint(endpoint_id))

    async def add(
        self, url: str, events: Sequence[EndpointEvent] | None = None, description: str = ""
    ) -> WebhookEndpointWithSecret:
        """Makes an endpoint, by default for all ends of insertions. Its `secret` is not shown again."""
        return await self._send(calls.add(url, events, description))

    async def change(
        self,
        endpoint_id: str,
        *,
        url: str | None = None,
        events: Sequence[EndpointEvent] | None = None,
        description: str | None = None,
        enabled: bool | None = None,
    ) -> WebhookEndpoint:
        """Changes what is given."""
        return await self._send(calls.change(endpoint_id, url, events, description, enabled))

    async def remove(self, endpoint_id: str) -> None:
        """Forgets an endpoint with its log."""
        await self._send(calls.remove(endpoint_id))

    async def rotate(self, endpoint_id: str, overlap_seconds: int = 86_400) -> WebhookEndpointWithSecret:
        """A new secret; those before sign as well until the overlap ends."""
        return await self._send(calls.rotate(endpoint_id, overlap_seconds))

    async def test(self, endpoint_id: str) -> WebhookDelivery:
        """Sends a test; `delivery` tells what became of it."""
        return await self._send(calls.test(endpoint_id))

    async def deliveries(
        self,
        endpoint_id: str,
        limit: int = 20,
        cursor: str | None = None,
        status: DeliveryStatus | None = None,
    ) -> WebhookDeliveryList:
        """A page of the log, newest first."""
        return await self._send(calls.deliveries(endpoint_id, limit, cursor, status))

    async def delivery(self, endpoint_id: str, message_id: str) -> WebhookDelivery:
        """One delivery with its tries."""
        return await self._send(calls.delivery(endpoint_id, message_id))

    async def replay(self, endpoint_id: str, message_id: str) -> WebhookDelivery:
        """Sends a delivery again."""
        return await self._send(calls.replay(endpoint_id, message_id))

    async def replay_failed(self, endpoint_id: str, since: datetime) -> int:
        """Sends again all that failed since then; how many."""
        return (await self._send(calls.replay_failed(endpoint_id, since))).count
