"""Verifies a webhook (Standard Webhooks 1.0), whatever framework received it."""

from __future__ import annotations

import hmac
import time
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError

from api_schemas.webhooks import WebhookMessage
from client.errors import InvalidWebhook

TOLERANCE_SECONDS = 300
_MESSAGE: TypeAdapter[Any] = TypeAdapter(WebhookMessage)


def verify_webhook(
    body: bytes, headers: Mapping[str, str], secret: str | Sequence[str], *, now: float | None = None
) -> WebhookMessage:
    """What the webhook says, if it is the service's and of the last five minutes. Raises InvalidWebhook.

    body: the bytes as they came, before anything parses them
    headers: of the request, in any spelling; the id in `webhook-id` is the same over retries
    secret: `whsec_…`; several while you change over
    now: Unix seconds, the clock's by default
    """
    given = {name.lower(): value for name, value in headers.items()}
    message_id, sent_at = given.get("webhook-id", ""), given.get("webhook-timestamp", "")
    if not (sent_at.isascii() and sent_at.isdigit() and len(sent_at) < 15):
        raise InvalidWebhook("it carries no time")
    if abs((time.time() if now is None else now) - int(sent_at)) > TOLERANCE_SECONDS:
        raise InvalidWebhook("it was signed too long ago, or in the future")
    signatures = [word.removeprefix("v1,") for word in given.get("webhook-signature", "").split()]
    secrets = [secret] if isinstance(secret, str) else secret
    expected = [_signature(one, message_id, sent_at, body) for one in secrets]
    if not any(hmac.compare_digest(a, b.encode()) for a in expected for b in signatures):
        raise InvalidWebhook("no signature of it is made with this secret")
    try:
        message: WebhookMessage = _MESSAGE.validate_json(body)
    except ValidationError:
        raise InvalidWebhook("it says nothing this version knows") from None
    return message


def _signature(secret: str, message_id: str, sent_at: str, body: bytes) -> bytes:
    key = b64decode(secret.removeprefix("whsec_"))
    return b64encode(hmac.digest(key, f"{message_id}.{sent_at}.".encode() + body, "sha256"))
