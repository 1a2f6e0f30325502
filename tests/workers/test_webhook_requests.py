"""What is signed, as the specification and its official library have it."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone
from itertools import product

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from tests.figures import Figure
from workers.webhook_requests import signed

OLD, NEW = "whsec_b2xkb2xkb2xkb2xkb2xkb2xk", "whsec_bmV3bmV3bmV3bmV3bmV3bmV3"
SECRETS = ([OLD], [NEW, OLD])
BODIES = (
    "{}",
    '{"name": "Hündchen 🐶"}',
    '{"name": "\\u00fc\\ud83d\\udc36"}',
    '{"a":"' + "x" * 100_000 + '"}',
)
ZONES = (UTC, timezone(timedelta(hours=-7)), timezone(timedelta(hours=5, minutes=45)))


@pytest.mark.fault(35)
def test_the_signature_is_that_of_the_specification() -> None:
    headers = signed(
        "msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}', ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        datetime.fromtimestamp(1614265330, UTC),
    )  # fmt: skip
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert headers["webhook-timestamp"] == "1614265330"


@pytest.mark.fault(35)
def test_the_official_library_makes_and_believes_the_same_signatures(figure: Figure) -> None:
    verified = believed = 0
    for body, zone, secrets in product(BODIES, ZONES, SECRETS):
        now = datetime.now(zone)
        headers = signed("msg_1", body.encode(), secrets, now)
        made = [Webhook(secret).sign("msg_1", now.astimezone(UTC), body) for secret in secrets]
        assert headers["webhook-signature"].split() == made
        for secret in secrets:
            Webhook(secret).verify(body.encode(), headers)
            verified += 1
        believed += sum(is_believed(*forgery) for forgery in forgeries(body, headers, secrets[0]))
    figure(35, "vectors the official library verifies", verified)
    figure(35, "forgeries it believes", believed)


def forgeries(body: str, headers: dict[str, str], secret: str) -> list[tuple[str, dict[str, str], str]]:
    """The same message with one thing changed each."""
    sent_at = int(headers["webhook-timestamp"])
    return [
        (body + " ", headers, secret),
        (body, headers, "whsec_b3RoZXJvdGhlcm90aGVyb3RoZXI="),
        (body, headers | {"webhook-id": "msg_2"}, secret),
        (body, headers | {"webhook-timestamp": str(sent_at + 1)}, secret),
        (body, headers | {"webhook-timestamp": str(sent_at - 3600)}, secret),
    ]


def is_believed(body: str, headers: dict[str, str], secret: str) -> bool:
    try:
        Webhook(secret).verify(body.encode(), headers)
    except WebhookVerificationError:
        return False
    return True


@pytest.mark.fault(35)
def test_every_secret_verifies_and_time_zones_change_nothing() -> None:
    secrets = ["whsec_b2xkb2xkb2xkb2xkb2xkb2xk", "whsec_bmV3bmV3bmV3bmV3bmV3bmV3"]
    body = '{"name": "Hündchen 🐶"}'
    here = datetime.now(timezone(timedelta(hours=-7)))
    headers = signed("msg_1", body.encode(), secrets, here)
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 5
    for secret in secrets:
        assert Webhook(secret).verify(body, headers) == {"name": "Hündchen 🐶"}
