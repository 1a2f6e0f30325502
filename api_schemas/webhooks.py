"""What a webhook says (Standard Webhooks 1.0)."""

from __future__ import annotations

from api_schemas.base import ResponseModel, Timestamp
from api_schemas.insertions import WebhookEvent
from api_schemas.jobs import InsertionJob


class WebhookBody(ResponseModel):
    """The body of a delivery. The `webhook-id` header stays the same over retries."""

    type: WebhookEvent
    timestamp: Timestamp
    data: InsertionJob
