"""Webhook endpoints: make, change, rotate, test; the log of their deliveries, and sending again."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response
from pydantic import HttpUrl
from starlette.concurrency import run_in_threadpool

from api_schemas.errors import RequestErrorCode
from api_schemas.webhooks import (
    DEFAULT_ENDPOINT,
    DeliveryStatus,
    NewWebhookEndpoint,
    Replayed,
    ReplayFailed,
    SecretRotation,
    WebhookDelivery,
    WebhookDeliveryList,
    WebhookEndpoint,
    WebhookEndpointChange,
    WebhookEndpointList,
    WebhookEndpointWithSecret,
)
from job_store.records import Idempotency
from job_store.webhook_endpoints import EndpointRecord
from job_store.webhook_secrets import derived_secret
from job_store.webhook_views import to_delivery, to_endpoint
from runtime.egress import EgressError, judge_callback
from service.answers import json_answer, replayed_unless
from service.bodies import JSON, parse_json, read_json
from service.dependencies import Cursor, GatewayDep, IdempotencyKey, WebhooksDep
from service.errors import Refusal, invalid_field
from service.gateway import Gateway
from service.openapi import refuses

router = APIRouter(prefix="/v1/webhook-endpoints", tags=["webhooks"])
RESOLVE_SECONDS = 5.0
UNKEPT = {"Cache-Control": "no-store"}
"""For answers with a secret in them."""
NEW = {"url": "https://example.com/hooks/addit", "events": ["insertion.succeeded", "insertion.failed"]}
BODY: tuple[RequestErrorCode, ...] = ("malformed_request", "body_too_large", "unsupported_media_type")
OWN: tuple[RequestErrorCode, ...] = ("unauthorized", "not_found", "invalid_request", "store_unavailable")


def endpoint(
    gateway: GatewayDep,
    tenant: WebhooksDep,
    endpoint_id: Annotated[str, Path(description="The endpoint's id: `we_…`, or `default`.")],
) -> EndpointRecord:
    """The tenant's endpoint. Raises `NotFound` for absent and foreign alike."""
    return gateway.webhook_endpoints.get(endpoint_id, tenant)


def named_endpoint(record: Annotated[EndpointRecord, Depends(endpoint)]) -> EndpointRecord:
    """One with an address of its own. Raises `Refusal` wrong_state for `default`."""
    if record.id == DEFAULT_ENDPOINT:
        raise Refusal("wrong_state", "Not of `default`: each request says where its webhook goes.")
    return record


EndpointDep = Annotated[EndpointRecord, Depends(endpoint)]
NamedEndpointDep = Annotated[EndpointRecord, Depends(named_endpoint)]
MessageId = Annotated[str, Path(description="The delivery's id: `msg_…`.")]


def body_of(model: str, example: dict[str, Any]) -> dict[str, Any]:
    """The description of a JSON body."""
    content = {"schema": {"$ref": f"#/components/schemas/{model}"}, "example": example}
    return {"requestBody": {"required": True, "content": {JSON: content}}}


@router.post(
    "",
    summary="Create Endpoint",
    status_code=201,
    response_model=WebhookEndpointWithSecret,
    response_description="Made; `Location` names it.",
    openapi_extra=body_of("NewWebhookEndpoint", NEW),
    responses=refuses(
        *BODY, "unauthorized", "invalid_request", "idempotency_key_reused", "quota_exceeded",
        "store_unavailable",
    ),
)  # fmt: skip
async def create(
    request: Request,
    gateway: GatewayDep,
    tenant: WebhooksDep,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Make an endpoint, at most ten. Its secret is in this answer and in no later one."""
    wanted = parse_json(await read_json(request), NewWebhookEndpoint)
    return await to_thread.run_sync(
        _create, gateway, tenant, wanted, idempotency_key, limiter=gateway.submission_threads
    )


@router.get("", response_model=WebhookEndpointList, responses=refuses("unauthorized", "store_unavailable"))
def list_endpoints(gateway: GatewayDep, tenant: WebhooksDep) -> Response:
    """The tenant's endpoints, oldest first, without `default`."""
    return json_answer(
        WebhookEndpointList(data=[_shown(record) for record in gateway.webhook_endpoints.list(tenant)])
    )


@router.get(
    "/{endpoint_id}", summary="Read Endpoint", response_model=WebhookEndpoint, responses=refuses(*OWN)
)
def read(record: EndpointDep) -> Response:
    """One endpoint, without its secret."""
    return json_answer(_shown(record))


@router.patch(
    "/{endpoint_id}",
    summary="Change Endpoint",
    response_model=WebhookEndpoint,
    openapi_extra=body_of("WebhookEndpointChange", {"enabled": True}),
    responses=refuses(*BODY, *OWN, "wrong_state"),
)
async def change(request: Request, gateway: GatewayDep, record: NamedEndpointDep) -> Response:
    """Change an endpoint. What is pending goes to the new address."""
    wanted = parse_json(await read_json(request), WebhookEndpointChange)
    return await to_thread.run_sync(_change, gateway, record, wanted, limiter=gateway.submission_threads)


@router.delete(
    "/{endpoint_id}",
    summary="Delete Endpoint",
    status_code=204,
    response_class=Response,
    responses=refuses(*OWN, "wrong_state"),
)
def delete(gateway: GatewayDep, record: NamedEndpointDep) -> Response:
    """Forget an endpoint and its log. Nothing more is sent to it."""
    gateway.webhook_endpoints.delete(record.id, record.tenant)
    return Response(status_code=204)


@router.post(
    "/{endpoint_id}/rotate",
    summary="Rotate Secret",
    response_model=WebhookEndpointWithSecret,
    response_description="The endpoint with its new secret.",
    openapi_extra=body_of("SecretRotation", {"overlap_seconds": 86_400}),
    responses=refuses(*BODY, *OWN),
)
async def rotate(request: Request, gateway: GatewayDep, record: EndpointDep) -> Response:
    """A new secret, in this answer and in no later one. Until the overlap ends old and new secrets sign."""
    wanted = parse_json(await read_json(request), SecretRotation)
    rotated = await run_in_threadpool(
        gateway.webhook_endpoints.rotate, record.id, record.tenant, wanted.overlap_seconds
    )
    return json_answer(_with_secret(gateway, rotated), headers=UNKEPT)


@router.post(
    "/{endpoint_id}/test",
    summary="Test Endpoint",
    status_code=202,
    response_model=WebhookDelivery,
    response_description="On its way; `Location` tells what becomes of it.",
    responses=refuses(*OWN, "wrong_state", "rate_limited"),
)
def test(gateway: GatewayDep, record: NamedEndpointDep) -> Response:
    """Send `webhook_endpoint.test` once, whatever the endpoint's events are and even if it is disabled. Ten
    a minute at most."""
    shown = to_delivery(record, gateway.deliveries.test(record))
    return json_answer(shown, 202, {"Location": _location(gateway, record, shown.id)})


@router.get("/{endpoint_id}/deliveries", response_model=WebhookDeliveryList, responses=refuses(*OWN))
def list_deliveries(
    gateway: GatewayDep,
    record: EndpointDep,
    limit: Annotated[int, Query(ge=1, le=100, description="Deliveries a page.")] = 20,
    cursor: Cursor = None,
    status: Annotated[DeliveryStatus | None, Query(description="Only deliveries in this state.")] = None,
) -> Response:
    """What was sent to an endpoint and what it answered, newest first."""
    found, next_cursor = gateway.deliveries.list(record, limit, cursor, status)
    page = [to_delivery(record, delivery) for delivery in found]
    return json_answer(WebhookDeliveryList(data=page, next_cursor=next_cursor))


@router.get("/{endpoint_id}/deliveries/{message_id}", response_model=WebhookDelivery, responses=refuses(*OWN))
def read_delivery(gateway: GatewayDep, record: EndpointDep, message_id: MessageId) -> Response:
    """One delivery with its tries."""
    return json_answer(to_delivery(record, gateway.deliveries.get(record, message_id)))


@router.post(
    "/{endpoint_id}/deliveries/{message_id}/replay",
    summary="Replay Delivery",
    status_code=202,
    response_model=WebhookDelivery,
    response_description="On its way again.",
    responses=refuses(*OWN, "wrong_state"),
)
def replay(gateway: GatewayDep, record: EndpointDep, message_id: MessageId) -> Response:
    """Send a delivery again now, under the same id, whatever became of it."""
    shown = to_delivery(record, gateway.deliveries.replay(record, message_id))
    return json_answer(shown, 202, {"Location": _location(gateway, record, shown.id)})


@router.post(
    "/{endpoint_id}/replay",
    summary="Replay Failed Deliveries",
    status_code=202,
    response_model=Replayed,
    response_description="On their way again.",
    openapi_extra=body_of("ReplayFailed", {"since": "2026-01-31T00:00:00Z"}),
    responses=refuses(*BODY, *OWN, "wrong_state"),
)
async def replay_failed(request: Request, gateway: GatewayDep, record: EndpointDep) -> Response:
    """Send again all that failed and whose event happened since then."""
    wanted = parse_json(await read_json(request), ReplayFailed)
    count = await run_in_threadpool(gateway.deliveries.replay_failed, record, wanted.since)
    return json_answer(Replayed(count=count), 202)


def _create(gateway: Gateway, tenant: str, wanted: NewWebhookEndpoint, key: str | None) -> Response:
    _check(gateway, wanted.url)
    fingerprint = hashlib.sha256(wanted.model_dump_json().encode()).hexdigest()
    record, fresh = gateway.webhook_endpoints.create(
        tenant,
        url=str(wanted.url),
        events=wanted.events,
        description=wanted.description,
        enabled=wanted.enabled,
        idempotency=Idempotency(key, fingerprint) if key else None,
    )
    headers = {**UNKEPT, "Location": gateway.links.to(f"{router.prefix}/{record.id}")}
    headers |= replayed_unless(fresh)
    return json_answer(_with_secret(gateway, record), 201, headers)


def _change(gateway: Gateway, record: EndpointRecord, wanted: WebhookEndpointChange) -> Response:
    if wanted.url is not None:
        _check(gateway, wanted.url)
    changed = gateway.webhook_endpoints.change(
        record.id,
        record.tenant,
        url=None if wanted.url is None else str(wanted.url),
        events=wanted.events,
        description=wanted.description,
        enabled=wanted.enabled,
    )
    return json_answer(_shown(changed))


def _check(gateway: Gateway, url: HttpUrl) -> None:
    """Refuse what the sender would refuse too. It judges anew at each try, for a name may move."""
    try:
        judge_callback(str(url), RESOLVE_SECONDS, gateway.settings.allow_loopback_egress)
    except EgressError as error:
        raise invalid_field("url", str(error)) from None


def _shown(record: EndpointRecord) -> WebhookEndpoint:
    return to_endpoint(record, datetime.now(UTC))


def _with_secret(gateway: Gateway, record: EndpointRecord) -> WebhookEndpointWithSecret:
    secret = derived_secret(gateway.settings.webhook_masters[0], record.key, record.secret_id)
    return WebhookEndpointWithSecret(**_shown(record).model_dump(), secret=secret)


def _location(gateway: Gateway, record: EndpointRecord, message_id: str) -> str:
    return gateway.links.to(f"{router.prefix}/{record.id}/deliveries/{message_id}")
