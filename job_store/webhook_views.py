"""How webhook endpoints and deliveries look to their tenant. Shared by the gateway and the webhook sender."""

from __future__ import annotations

from datetime import datetime

from api_schemas.webhooks import WebhookDelivery, WebhookEndpoint
from job_store.delivery_log import DeliveryRecord
from job_store.webhook_endpoints import EndpointRecord


def to_endpoint(record: EndpointRecord, now: datetime) -> WebhookEndpoint:
    """The endpoint as the API shows it."""
    ends = [end for _, end in record.old_secrets if now < end]
    return WebhookEndpoint(
        id=record.id,
        url=record.url,
        events=list(record.events),
        description=record.description,
        enabled=record.enabled,
        disabled_reason=record.disabled_reason,
        disabled_at=record.disabled_at,
        failing_since=record.failing_since,
        old_secrets_until=max(ends, default=None),
        created_at=record.created_at,
    )


def to_delivery(endpoint: EndpointRecord, record: DeliveryRecord) -> WebhookDelivery:
    """The delivery as the API shows it."""
    return WebhookDelivery(
        id=record.id,
        endpoint_id=endpoint.id,
        event=record.event,
        resource_id=record.resource,
        status=record.status,
        reason=record.why or None,
        created_at=record.created_at,
        next_attempt_at=record.next_attempt_at,
        attempts=list(record.attempts),
    )
