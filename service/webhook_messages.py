"""The webhooks of the API's description: what the service sends, as OpenAPI tells it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header

from api_schemas.webhooks import EndpointDisabledBody, EndpointTestBody, WebhookBody

AGAIN: dict[int | str, dict[str, Any]] = {
    "4XX": {"description": "Tried again, ten times in three days; 410 disables the endpoint."},
    "5XX": {"description": "Tried again, ten times in three days."},
}
ONCE: dict[int | str, dict[str, Any]] = {
    "4XX": {"description": "Not tried again; 410 disables the endpoint."}
}

messages = APIRouter()
Id = Annotated[str, Header(description="`msg_…`: the same over all tries; take one you know as done.")]
Time = Annotated[int, Header(description="When this try was signed, Unix seconds.")]
Signature = Annotated[
    str, Header(description="`v1,…` (HMAC-SHA256, base64) for each secret that signs now, a space between.")
]
Traceparent = Annotated[
    str | None, Header(description="W3C trace context, in the trace of the request that made the job.")
]


@messages.post("insertion", status_code=204, responses=AGAIN)
def insertion(
    body: WebhookBody,
    webhook_id: Id,
    webhook_timestamp: Time,
    webhook_signature: Signature,
    traceparent: Traceparent = None,
) -> None:
    """An insertion ended. Any 2xx is success, 410 disables the endpoint, everything else is tried again."""


@messages.post("webhook_endpoint.disabled", status_code=204, responses=AGAIN)
def endpoint_disabled(
    body: EndpointDisabledBody, webhook_id: Id, webhook_timestamp: Time, webhook_signature: Signature
) -> None:
    """Another endpoint was disabled: it answered 410, or nothing succeeded for three days."""


@messages.post("webhook_endpoint.test", status_code=204, responses=ONCE)
def endpoint_test(
    body: EndpointTestBody, webhook_id: Id, webhook_timestamp: Time, webhook_signature: Signature
) -> None:
    """A test was asked for. It is tried once."""
