"""The calls about webhook endpoints as values; both clients send these."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import httpx

from api_schemas.base import ResponseModel
from api_schemas.webhooks import (
    DeliveryStatus,
    EndpointEvent,
    Replayed,
    WebhookDelivery,
    WebhookDeliveryList,
    WebhookEndpoint,
    WebhookEndpointList,
    WebhookEndpointWithSecret,
)
from client.calls import Call, once

Answer = TypeVar("Answer", bound=ResponseModel)
ENDPOINTS = "/v1/webhook-endpoints"


def endpoints() -> Call[WebhookEndpointList]:
    """All of the tenant's."""
    return Call("GET", ENDPOINTS, _read(WebhookEndpointList))


def endpoint(endpoint_id: str) -> Call[WebhookEndpoint]:
    """One."""
    return Call("GET", f"{ENDPOINTS}/{endpoint_id}", _read(WebhookEndpoint))


def add(
    url: str, events: Sequence[EndpointEvent] | None, description: str
) -> Call[WebhookEndpointWithSecret]:
    """The same call sent twice makes one endpoint."""
    body = _given(url=url, events=events, description=description)
    return Call("POST", ENDPOINTS, _read(WebhookEndpointWithSecret), {"json": body, "headers": once()})


def change(
    endpoint_id: str,
    url: str | None,
    events: Sequence[EndpointEvent] | None,
    description: str | None,
    enabled: bool | None,
) -> Call[WebhookEndpoint]:
    """What is None stays."""
    body = _given(url=url, events=events, description=description, enabled=enabled)
    return Call("PATCH", f"{ENDPOINTS}/{endpoint_id}", _read(WebhookEndpoint), {"json": body})


def remove(endpoint_id: str) -> Call[None]:
    """Forgets it with its log."""
    return Call("DELETE", f"{ENDPOINTS}/{endpoint_id}", lambda _: None)


def rotate(endpoint_id: str, overlap_seconds: int) -> Call[WebhookEndpointWithSecret]:
    """Sent twice it rotates twice; all secrets of the overlap sign."""
    body = {"overlap_seconds": overlap_seconds}
    return Call("POST", f"{ENDPOINTS}/{endpoint_id}/rotate", _read(WebhookEndpointWithSecret), {"json": body})


def test(endpoint_id: str) -> Call[WebhookDelivery]:
    """A test is on its way."""
    return Call("POST", f"{ENDPOINTS}/{endpoint_id}/test", _read(WebhookDelivery))


def deliveries(
    endpoint_id: str, limit: int, cursor: str | None, status: DeliveryStatus | None
) -> Call[WebhookDeliveryList]:
    """A page of the log."""
    params = _given(limit=limit, cursor=cursor, status=status)
    return Call(
        "GET", f"{ENDPOINTS}/{endpoint_id}/deliveries", _read(WebhookDeliveryList), {"params": params}
    )


def delivery(endpoint_id: str, message_id: str) -> Call[WebhookDelivery]:
    """One entry of the log."""
    return Call("GET", f"{ENDPOINTS}/{endpoint_id}/deliveries/{message_id}", _read(WebhookDelivery))


def replay(endpoint_id: str, message_id: str) -> Call[WebhookDelivery]:
    """A delivery is on its way again."""
    path = f"{ENDPOINTS}/{endpoint_id}/deliveries/{message_id}/replay"
    return Call("POST", path, _read(WebhookDelivery))


def replay_failed(endpoint_id: str, since: datetime) -> Call[Replayed]:
    """All that failed since then are on their way again. A time without a zone is this machine's."""
    body = {"since": since.astimezone().isoformat()}
    return Call("POST", f"{ENDPOINTS}/{endpoint_id}/replay", _read(Replayed), {"json": body})


def _given(**fields: object) -> Mapping[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _read(model: type[Answer]) -> Callable[[httpx.Response], Answer]:
    return lambda answer: model.model_validate_json(answer.content)
