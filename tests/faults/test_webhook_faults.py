"""Receivers that fail, move, vanish or hang, and a sender that dies."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable

import pytest
from standardwebhooks.webhooks import Webhook

from api_schemas.webhooks import EndpointEvent, WebhookBody
from job_store.keys import Key
from job_store.webhook_endpoints import WebhookEndpoints
from job_store.webhook_secrets import derived_secret
from tests.figures import Figure
from tests.workers.fleet import TENANT, Fleet, until
from tests.workers.receiver import receiver

HOOK: EndpointEvent = "insertion.canceled"


@pytest.fixture
def end_a_job(fleet: Fleet) -> Callable[[str], str]:
    """Ends a job with a webhook to this URL; the message's id."""

    def end(url: str) -> str:
        job_id = fleet.submit(webhook={"url": url}, metadata={"größe": "groß 🐶"})
        fleet.jobs.cancel(job_id, TENANT)
        return f"msg_{job_id}"

    return end


@pytest.fixture
def sending(fleet: Fleet) -> None:
    if not any(process.poll() is None for process in fleet.processes):
        fleet.background()


def state(fleet: Fleet, message: str) -> str:
    key = f"{Key.DELIVERY}default/{TENANT}/{message}"
    return (fleet.redis.hget(key, "state") or b"").decode()  # type: ignore[union-attr]


@pytest.mark.fault(32)
@pytest.mark.fault(35)
@pytest.mark.usefixtures("sending")
def test_a_failing_receiver_gets_the_same_signed_webhook_again(
    fleet: Fleet, end_a_job: Callable[[str], str]
) -> None:
    with receiver(500, 503, 204) as tenant:
        delivery = end_a_job(tenant.url)
        until(lambda: state(fleet, delivery) == "delivered")
    assert tenant.ids == [delivery] * 3
    for _, headers, body in tenant.requests:
        secret = derived_secret(fleet.settings.webhook_masters[0], f"default/{TENANT}", "")
        assert Webhook(secret).verify(body, headers) == json.loads(body)
        told = WebhookBody.model_validate_json(body)
        assert (told.type, told.data.status) == (HOOK, "canceled")
        assert told.data.metadata == {"größe": "groß 🐶"}
        assert delivery == f"msg_{told.data.id}"


@pytest.mark.fault(33)
@pytest.mark.usefixtures("sending")
def test_a_redirect_is_a_failure_and_is_not_followed(fleet: Fleet, end_a_job: Callable[[str], str]) -> None:
    with receiver(204) as elsewhere, receiver(302, 307, 301, location=elsewhere.url) as tenant:
        delivery = end_a_job(tenant.url)
        until(lambda: state(fleet, delivery) == "failed")
    assert [path for path, _, _ in tenant.requests] == ["/hook"] * 3
    assert elsewhere.requests == []
    assert fleet.jobs.get(delivery.removeprefix("msg_")).status == "canceled"  # to be polled all the same


@pytest.mark.fault(34)
@pytest.mark.usefixtures("sending")
def test_a_receiver_that_is_gone_is_not_asked_again(fleet: Fleet, end_a_job: Callable[[str], str]) -> None:
    with receiver(410) as tenant:
        delivery = end_a_job(tenant.url)
        until(lambda: state(fleet, delivery) == "failed")
    assert len(tenant.requests) == 1


@pytest.mark.fault(32)
@pytest.mark.usefixtures("sending")
def test_a_slow_receiver_keeps_nobody_waiting(fleet: Fleet, end_a_job: Callable[[str], str]) -> None:
    with receiver(204) as slow, receiver(204) as quick:
        slow.may_answer.clear()
        waiting = end_a_job(slow.url)
        until(lambda: slow.requests)
        delivery = end_a_job(quick.url)
        until(lambda: state(fleet, delivery) == "delivered", 1.5)
        assert state(fleet, waiting) == "pending"
        slow.may_answer.set()
        until(lambda: state(fleet, waiting) == "delivered")


@pytest.mark.fault(32)
@pytest.mark.usefixtures("sending")
def test_a_backlog_of_a_slow_receiver_takes_its_share_of_the_slots_and_no_more(
    fleet: Fleet, end_a_job: Callable[[str], str]
) -> None:
    endpoints = WebhookEndpoints(fleet.redis)
    with receiver(204) as slow, receiver(204) as quick:
        slow.may_answer.clear()
        endpoint = endpoints.create(TENANT, url=quick.url, events=[HOOK])[0]
        messages = [end_a_job(slow.url) for _ in range(24)]
        until(lambda: len(quick.requests) == len(messages))
        assert {state(fleet, message) for message in messages} == {"pending"}
        endpoints.delete(endpoint.id, TENANT)
        slow.may_answer.set()
        until(lambda: "pending" not in {state(fleet, message) for message in messages}, 30)


@pytest.mark.fault(36)
def test_a_sender_killed_between_the_answer_and_its_note_is_followed_by_one_under_the_same_id(
    fleet: Fleet, end_a_job: Callable[[str], str], figure: Figure
) -> None:
    fleet.end()
    sender = fleet.background()
    with receiver(204) as tenant:
        tenant.may_answer.clear()
        delivery = end_a_job(tenant.url)
        until(lambda: tenant.requests)
        sender.send_signal(signal.SIGSTOP)
        tenant.may_answer.set()
        until(lambda: tenant.answered)
        sender.kill()
        sender.wait()
        assert state(fleet, delivery) == "pending"
        # as if the lease of the dead sender had run out
        fleet.redis.zadd(Key.OUTBOX, {f"default/{TENANT}/{delivery}": 0})
        fleet.background()
        until(lambda: state(fleet, delivery) == "delivered")
    figure(36, "deliveries", len(tenant.ids))
    figure(36, "ids", len(set(tenant.ids)))
    assert set(tenant.ids) == {delivery}
