"""`addit webhooks` against a running service."""

from __future__ import annotations

from client.client import Addit
from client.webhook_signature import verify_webhook
from tests.client.conftest import Served
from tests.client.test_cli import ask
from tests.workers.fleet import until
from tests.workers.receiver import receiver


def test_the_commands(served: Served) -> None:
    with receiver(204, 500, 204) as got:
        words = ["--event", "insertion.succeeded", "--description", "orders"]
        endpoint, secret = ask(served, "webhooks", "add", got.url, *words).stdout.split()
        listed = ask(served, "webhooks", "list").stdout
        assert all(part in listed for part in (endpoint, got.url, "insertion.succeeded", "orders", "enabled"))
        tested = ask(served, "webhooks", "test", endpoint)
        assert tested.exit_code == 0, tested.output
        assert "delivered 204 in" in tested.output
        verify_webhook(got.requests[0][2], got.requests[0][1], secret)
        failed = ask(served, "webhooks", "test", endpoint)
        assert (failed.exit_code, "failed 500 in" in failed.output) == (1, True)
        message = failed.output.split()[0]
        listed = ask(served, "webhooks", "deliveries", endpoint, "--status", "failed").stdout
        assert message in listed
        assert "500 in" in listed
        assert ask(served, "webhooks", "replay", endpoint, message).exit_code == 0
        with Addit(served.url, served.key) as addit:
            until(lambda: addit.webhooks.delivery(endpoint, message).status == "delivered")
    assert "0 on the way" in ask(served, "webhooks", "replay", endpoint, "--since", "2026-01-01").output
    assert ask(served, "webhooks", "replay", endpoint).exit_code == 2
    assert ask(served, "webhooks", "rotate", endpoint, "--overlap", "0").stdout.strip() != secret
    assert "disabled" in ask(served, "webhooks", "disable", endpoint).output
    assert "enabled" in ask(served, "webhooks", "enable", endpoint).output
    assert ask(served, "webhooks", "remove", endpoint).exit_code == 0
    assert "not_found" in ask(served, "webhooks", "rotate", endpoint).output
    assert "invalid_request" in ask(served, "webhooks", "add", got.url, "--event", "x").output
