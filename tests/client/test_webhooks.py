"""Both clients with endpoints of a running service, and a receiver that verifies."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from api_schemas.insertions import WebhookTarget
from api_schemas.webhooks import WebhookBody
from client.async_client import AsyncAddit
from client.async_webhooks import AsyncWebhooks
from client.client import Addit
from client.errors import ApiError
from client.webhook_signature import verify_webhook
from client.webhooks import Webhooks
from tests.client.answers import REQUEST
from tests.client.conftest import Served
from tests.client.test_secrets import everything
from tests.workers.fleet import until
from tests.workers.receiver import Receiver, receiver


@pytest.fixture
def addit(served: Served) -> Iterator[Addit]:
    with Addit(served.url, served.key) as client:
        yield client
        for endpoint in client.webhooks.list():
            client.webhooks.remove(endpoint.id)


def told(got: Receiver, number: int, secret: str) -> WebhookBody:
    _, headers, body = until(lambda: got.requests[number : number + 1])[0]
    message = verify_webhook(body, headers, secret)
    assert isinstance(message, WebhookBody)
    return message


def test_both_clients_offer_the_same_calls() -> None:
    def calls(kind: type) -> dict[str, list[str]]:
        members = inspect.getmembers(kind, inspect.isfunction)
        return {name: list(inspect.signature(it).parameters) for name, it in members if name[0] != "_"}

    assert calls(Webhooks) == calls(AsyncWebhooks)


def test_an_end_arrives_under_the_old_and_the_new_secret(addit: Addit) -> None:
    with receiver(204) as got:
        endpoint = addit.webhooks.add(got.url, description="orders")
        rotated = addit.webhooks.rotate(endpoint.id)
        job = addit.insert(REQUEST)
        for secret in (endpoint.secret, rotated.secret):
            message = told(got, 0, secret)
            assert (message.type, message.data.id) == ("insertion.succeeded", job.id)
    assert message.data.result is not None
    assert addit.download(message.data.result.images[0].url).startswith(b"\x89PNG")
    page = addit.webhooks.deliveries(endpoint.id)
    assert [delivery.resource_id for delivery in page.data] == [job.id]


def test_a_requests_own_webhook_carries_the_tenants_secret_and_no_secret_is_kept(
    addit: Addit, served: Served
) -> None:
    secret = addit.webhooks.rotate("default", overlap_seconds=0).secret
    with receiver(204) as got:
        target = WebhookTarget.model_validate({"url": got.url})
        job = addit.insert(REQUEST.model_copy(update={"webhook": target}))
        assert told(got, 0, secret).data.id == job.id
    kept = everything(served.folder / "logs") + everything(served.folder / "valkey")
    assert secret.removeprefix("whsec_").encode() not in kept


def test_a_life_of_an_endpoint(addit: Addit) -> None:
    with receiver(410, 204) as got:
        endpoint = addit.webhooks.add(got.url, ["insertion.succeeded"])
        webhooks = addit.webhooks
        job = addit.insert(REQUEST)
        until(lambda: not webhooks.get(endpoint.id).enabled)
        message = webhooks.deliveries(endpoint.id, status="failed").data[0].id
        assert message == f"msg_{job.id}"
        with pytest.raises(ApiError, match="wrong_state"):
            webhooks.replay(endpoint.id, message)
        assert webhooks.change(endpoint.id, enabled=True).enabled
        webhooks.replay(endpoint.id, message)
        until(lambda: webhooks.delivery(endpoint.id, message).status == "delivered")
        test = webhooks.test(endpoint.id)
        until(lambda: webhooks.delivery(endpoint.id, test.id).status == "delivered")
        assert webhooks.replay_failed(endpoint.id, datetime.now(UTC) - timedelta(hours=1)) == 0
        webhooks.remove(endpoint.id)
    with pytest.raises(ApiError, match="not_found"):
        webhooks.get(endpoint.id)


def test_the_async_client_does_the_same(served: Served) -> None:
    async def live() -> None:
        async with AsyncAddit(served.url, served.key) as addit:
            webhooks = addit.webhooks
            endpoint = await webhooks.add("http://127.0.0.1:9/", ["insertion.failed"], "x")
            assert (await webhooks.list())[0] == await webhooks.get(endpoint.id)
            changed = await webhooks.change(endpoint.id, events=["insertion.canceled"])
            assert changed.events == ["insertion.canceled"]
            assert (await webhooks.rotate(endpoint.id)).secret != endpoint.secret
            test = await webhooks.test(endpoint.id)
            assert (await webhooks.delivery(endpoint.id, test.id)).id == test.id
            assert (await webhooks.deliveries(endpoint.id)).data[0].id == test.id
            assert (await webhooks.replay(endpoint.id, test.id)).status == "pending"
            future = datetime.now(UTC) + timedelta(hours=1)
            assert await webhooks.replay_failed(endpoint.id, future) == 0
            await webhooks.remove(endpoint.id)

    asyncio.run(live())
