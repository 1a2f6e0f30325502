"""What the official library signs is believed, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from standardwebhooks.webhooks import Webhook

from api_schemas.webhooks import EndpointTestBody
from client.errors import InvalidWebhook
from client.webhook_signature import TOLERANCE_SECONDS, verify_webhook

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
SECRET, OTHER = "whsec_b2xkb2xkb2xkb2xkb2xkb2xk", "whsec_bmV3bmV3bmV3bmV3bmV3bmV3"
DATA = b'"data": {"endpoint_id": "w\xc3\xa9"}'
BODY = b'{"type": "webhook_endpoint.test", "timestamp": "2030-01-01T12:00:00Z", ' + DATA + b"}"


def headers(*secrets: str, body: bytes = BODY) -> dict[str, str]:
    signatures = [Webhook(secret).sign("msg_1", NOW, body.decode()) for secret in secrets]
    return {
        "Webhook-Id": "msg_1",
        "WEBHOOK-TIMESTAMP": str(int(NOW.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


@pytest.mark.fault(35)
@pytest.mark.parametrize("secret", [SECRET, [SECRET], [OTHER, SECRET]])
@pytest.mark.parametrize("signed_with", [[SECRET], [OTHER, SECRET]])
def test_any_secret_that_signed_is_enough(secret: str | list[str], signed_with: list[str]) -> None:
    message = verify_webhook(BODY, headers(*signed_with), secret, now=NOW.timestamp())
    assert isinstance(message, EndpointTestBody)
    assert message.data.endpoint_id == "wé"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda h: h.pop("webhook-signature"), "no signature"),
        (lambda h: h.update({"webhook-signature": "v1,é v1a,x v1, "}), "no signature"),
        (lambda h: h.update({"webhook-signature": h["webhook-signature"][:-2] + "=="}), "no signature"),
        (lambda h: h.update({"Webhook-Id": "msg_2"}), "no signature"),
        (lambda h: h.update({"WEBHOOK-TIMESTAMP": str(int(NOW.timestamp()) + 1)}), "no signature"),
        (lambda h: h.pop("WEBHOOK-TIMESTAMP"), "no time"),
        (lambda h: h.update({"WEBHOOK-TIMESTAMP": "soon"}), "no time"),
        (lambda h: h.update({"WEBHOOK-TIMESTAMP": "9" * 5000}), "no time"),
    ],
)
def test_whatever_was_changed_is_noticed(change: Callable[[dict[str, str]], object], why: str) -> None:
    changed = headers(SECRET)
    change(changed)
    with pytest.raises(InvalidWebhook, match=why):
        verify_webhook(BODY, changed, SECRET, now=NOW.timestamp())


def test_another_body_or_secret_is_not_believed() -> None:
    for body, secret in ((BODY + b" ", SECRET), (BODY, OTHER), (BODY, [])):
        with pytest.raises(InvalidWebhook, match="no signature"):
            verify_webhook(body, headers(SECRET), secret, now=NOW.timestamp())


@pytest.mark.parametrize("seconds", [TOLERANCE_SECONDS + 1, -TOLERANCE_SECONDS - 1])
def test_an_old_one_cannot_be_played_again(seconds: int) -> None:
    with pytest.raises(InvalidWebhook, match="too long ago"):
        verify_webhook(BODY, headers(SECRET), SECRET, now=NOW.timestamp() + seconds)


def test_a_type_of_a_later_version_is_told_apart() -> None:
    body = b'{"type": "insertion.dreamt"}'
    with pytest.raises(InvalidWebhook, match="nothing this version knows"):
        verify_webhook(body, headers(SECRET, body=body), SECRET, now=NOW.timestamp())
