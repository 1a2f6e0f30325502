"""What is signed, as the specification and its official library have it."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from standardwebhooks.webhooks import Webhook

from workers.webhook_requests import signed


@pytest.mark.fault(35)
def test_the_signature_is_that_of_the_specification() -> None:
    headers = signed(
        "msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}', ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        datetime.fromtimestamp(1614265330, UTC),
    )  # fmt: skip
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert headers["webhook-timestamp"] == "1614265330"


@pytest.mark.fault(35)
def test_every_secret_verifies_and_time_zones_change_nothing() -> None:
    secrets = ["whsec_b2xkb2xkb2xkb2xkb2xkb2xk", "whsec_bmV3bmV3bmV3bmV3bmV3bmV3"]
    body = '{"name": "Hündchen 🐶"}'
    here = datetime.now(timezone(timedelta(hours=-7)))
    headers = signed("msg_1", body.encode(), secrets, here)
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 5
    for secret in secrets:
        assert Webhook(secret).verify(body, headers) == {"name": "Hündchen 🐶"}
