"""Webhooks (Standard Webhooks 1.0): what they say, the endpoints they go to, the log of their deliveries."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, HttpUrl

from api_schemas.base import RequestModel, ResponseModel, Timestamp
from api_schemas.insertions import WebhookEvent
from api_schemas.jobs import InsertionJob

DEFAULT_ENDPOINT = "default"
EndpointEvent = Literal[WebhookEvent, "webhook_endpoint.disabled"]
DeliveryEvent = Literal[EndpointEvent, "webhook_endpoint.test"]
DeliveryStatus = Literal["pending", "delivered", "failed"]
DisabledReason = Literal["gone", "failing"]
ALL_ENDS: list[EndpointEvent] = [
    "insertion.succeeded", "insertion.failed", "insertion.canceled", "insertion.expired",
]  # fmt: skip
MAX_OVERLAP_SECONDS = 7 * 86_400

Events = Annotated[list[EndpointEvent], Field(min_length=1, max_length=5)]
Description = Annotated[str, Field(max_length=200)]


class NewWebhookEndpoint(RequestModel):
    """An address that shall hear of events."""

    url: HttpUrl = Field(description="https on port 443, except where the operator allows loopback.")
    events: Events = Field(default=ALL_ENDS, description="Which events it hears of.")
    description: Description = Field(default="", description="For people.")
    enabled: bool = Field(default=True, description="Whether anything is sent to it.")


class WebhookEndpointChange(RequestModel):
    """What shall be different; what is left out stays."""

    url: HttpUrl | None = Field(default=None, description="Where to send from now on.")
    events: Events | None = Field(default=None, description="Which events it hears of.")
    description: Description | None = Field(default=None, description="For people.")
    enabled: bool | None = Field(
        default=None, description="true also forgets why it was disabled; what is still pending is then sent."
    )


class SecretRotation(RequestModel):
    """A new secret for an endpoint."""

    overlap_seconds: int = Field(
        default=86_400,
        ge=0,
        le=MAX_OVERLAP_SECONDS,
        description="How long the secrets before sign as well; 0 ends them at once, as for one that leaked.",
    )


class ReplayFailed(RequestModel):
    """Which deliveries to send again."""

    since: AwareDatetime = Field(description="All that failed and whose event happened since then.")


class WebhookEndpoint(ResponseModel):
    """An address that hears of a tenant's events, with a secret of its own.

    The endpoint `default` is always there: it stands for the `webhook` of single requests.
    """

    id: str = Field(description="`we_…`, or `default`.")
    object: Literal["webhook_endpoint"] = Field(default="webhook_endpoint", description="What this is.")
    url: str | None = Field(description="Where it is; null for `default`, where each request says it.")
    events: list[EndpointEvent] = Field(
        description="What it hears of; empty for `default`, where each request says it."
    )
    description: str = Field(description="For people.")
    enabled: bool = Field(description="Whether anything is sent to it.")
    disabled_reason: DisabledReason | None = Field(
        default=None, description="Why it was disabled: it answered 410, or nothing succeeded for three days."
    )
    disabled_at: Timestamp | None = Field(default=None, description="When that was.")
    failing_since: Timestamp | None = Field(
        default=None, description="The first failed try since the last that succeeded, if there is one."
    )
    old_secrets_until: Timestamp | None = Field(
        default=None, description="Until when an earlier secret signs as well."
    )
    created_at: Timestamp | None = Field(default=None, description="When it was made; null for `default`.")


class WebhookEndpointWithSecret(WebhookEndpoint):
    """The endpoint at its making and after a rotation: the only times its secret is shown."""

    secret: str = Field(description="`whsec_…`: verify signatures with it. It is not shown again.")


class WebhookEndpointList(ResponseModel):
    """A tenant's endpoints, oldest first, without `default`."""

    object: Literal["list"] = Field(default="list", description="What this is.")
    data: list[WebhookEndpoint] = Field(description="The endpoints.")


class WebhookAttempt(ResponseModel):
    """One try of a delivery."""

    at: Timestamp = Field(description="When it began.")
    status: int | None = Field(default=None, description="The HTTP status; null if nothing answered.")
    duration_ms: int = Field(description="How long it took.")
    error: str | None = Field(default=None, description="Why nothing answered.")
    answer: str = Field(default="", description="The first 256 bytes of the answer's body.")


class WebhookDelivery(ResponseModel):
    """One event on its way to one endpoint. Kept 31 days after its end, the last thousand of an endpoint."""

    id: str = Field(description="`msg_…`, the `webhook-id` header: the same over all tries and endpoints.")
    object: Literal["webhook_delivery"] = Field(default="webhook_delivery", description="What this is.")
    endpoint_id: str = Field(description="Where it goes.")
    event: DeliveryEvent = Field(description="What happened.")
    resource_id: str = Field(description="What it happened to: a job or an endpoint.")
    status: DeliveryStatus = Field(description="pending until it succeeded or no more tries are made.")
    reason: str | None = Field(default=None, description="Why no more tries are made.")
    created_at: Timestamp = Field(description="When it happened.")
    next_attempt_at: Timestamp | None = Field(default=None, description="When the next try is due.")
    attempts: list[WebhookAttempt] = Field(description="The latest tries, at most 30, oldest first.")


class WebhookDeliveryList(ResponseModel):
    """A page of an endpoint's deliveries, newest first."""

    object: Literal["list"] = Field(default="list", description="What this is.")
    data: list[WebhookDelivery] = Field(description="The deliveries.")
    next_cursor: str | None = Field(default=None, description="`cursor` of the next page; null on the last.")


class Replayed(ResponseModel):
    """What was asked for is on its way again."""

    count: int = Field(description="Deliveries that are due now.")


class WebhookBody(ResponseModel):
    """An insertion ended. The `webhook-id` header stays the same over retries."""

    type: WebhookEvent = Field(description="How it ended.")
    timestamp: Timestamp = Field(description="When it ended.")
    data: InsertionJob = Field(description="The job; its pictures as signed links, fresh at each try.")


class EndpointDisabledBody(ResponseModel):
    """Another of the tenant's endpoints was disabled by the service."""

    type: Literal["webhook_endpoint.disabled"] = Field(description="What happened.")
    timestamp: Timestamp = Field(description="When it was disabled.")
    data: WebhookEndpoint = Field(description="The endpoint as it is now.")


class TestData(ResponseModel):
    """What a test says."""

    __test__ = False  # not pytest's
    endpoint_id: str = Field(description="The endpoint under test.")


class EndpointTestBody(ResponseModel):
    """Somebody asked for a test; it is tried once and means nothing else."""

    type: Literal["webhook_endpoint.test"] = Field(description="What happened.")
    timestamp: Timestamp = Field(description="When it was asked for.")
    data: TestData = Field(description="What a test says.")


WebhookMessage = Annotated[WebhookBody | EndpointDisabledBody | EndpointTestBody, Field(discriminator="type")]
"""Any body of a webhook."""
