"""`addit webhooks`: endpoints, their secrets and the log of their deliveries on a terminal."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Annotated, cast, get_args

import typer
from rich.table import Table

from api_schemas.webhooks import DeliveryStatus, EndpointEvent, WebhookDelivery, WebhookEndpoint
from client.terminal import HERE, ApiKey, Url, console, service

webhooks = typer.Typer(no_args_is_help=True, help="Webhook endpoints, their secrets and deliveries.")
TEST_SECONDS, POLL_SECONDS = 30.0, 0.3
EVENTS = [event for part in get_args(EndpointEvent) for event in (get_args(part) or (part,))]
EndpointId = Annotated[str, typer.Argument(help="we_…, or default: the webhooks of single requests.")]


@webhooks.command("list")
def list_endpoints(url: Url = HERE, key: ApiKey = None) -> None:
    """Your endpoints."""
    table = Table("id", "url", "events", "state", "description")
    with service(url, key) as addit:
        for endpoint in addit.webhooks.list():
            events = ", ".join(endpoint.events)
            table.add_row(endpoint.id, endpoint.url, events, _state(endpoint), endpoint.description)
    console.print(table)


@webhooks.command()
def add(
    address: Annotated[str, typer.Argument(help="Where to send; https.")],
    event: Annotated[
        list[str] | None,
        typer.Option(help=f"Repeat it for several; all ends by default. {', '.join(EVENTS)}"),
    ] = None,
    description: Annotated[str, typer.Option(help="For people.")] = "",
    url: Url = HERE,
    key: ApiKey = None,
) -> None:
    """Make an endpoint; prints its id and its secret, which is not shown again."""
    with service(url, key) as addit:
        made = addit.webhooks.add(address, cast(list[EndpointEvent] | None, event), description)
    console.print(made.id, made.secret)


@webhooks.command()
def enable(endpoint_id: EndpointId, url: Url = HERE, key: ApiKey = None) -> None:
    """Send to an endpoint again, what is still pending too."""
    with service(url, key) as addit:
        console.print(endpoint_id, _state(addit.webhooks.change(endpoint_id, enabled=True)))


@webhooks.command()
def disable(endpoint_id: EndpointId, url: Url = HERE, key: ApiKey = None) -> None:
    """Send nothing to an endpoint."""
    with service(url, key) as addit:
        console.print(endpoint_id, _state(addit.webhooks.change(endpoint_id, enabled=False)))


@webhooks.command()
def remove(endpoint_id: EndpointId, url: Url = HERE, key: ApiKey = None) -> None:
    """Forget an endpoint with its log."""
    with service(url, key) as addit:
        addit.webhooks.remove(endpoint_id)
    console.print(endpoint_id, "removed")


@webhooks.command()
def rotate(
    endpoint_id: EndpointId,
    overlap: Annotated[
        int, typer.Option(min=0, help="Seconds that the secrets before sign as well; 0 if one leaked.")
    ] = 86_400,
    url: Url = HERE,
    key: ApiKey = None,
) -> None:
    """Print a new secret, which is not shown again."""
    with service(url, key) as addit:
        console.print(addit.webhooks.rotate(endpoint_id, overlap).secret)


@webhooks.command("test")
def send_test(endpoint_id: EndpointId, url: Url = HERE, key: ApiKey = None) -> None:
    """Send a test and wait for what becomes of it; exit code 1 unless it was delivered."""
    with service(url, key) as addit:
        delivery = addit.webhooks.test(endpoint_id)
        until = time.monotonic() + TEST_SECONDS
        while delivery.status == "pending" and time.monotonic() < until:
            time.sleep(POLL_SECONDS)
            delivery = addit.webhooks.delivery(endpoint_id, delivery.id)
    console.print(delivery.id, delivery.status, _last_answer(delivery), markup=False)
    if delivery.status != "delivered":
        raise typer.Exit(1)


@webhooks.command()
def deliveries(
    endpoint_id: EndpointId,
    status: Annotated[str | None, typer.Option(help=f"Only {', '.join(get_args(DeliveryStatus))}.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100, help="The newest so many.")] = 20,
    url: Url = HERE,
    key: ApiKey = None,
) -> None:
    """What was sent to an endpoint and what it answered last, newest first."""
    table = Table("id", "event", "made", "status", "tries", "last answer")
    with service(url, key) as addit:
        page = addit.webhooks.deliveries(endpoint_id, limit, status=cast(DeliveryStatus | None, status))
    for delivery in page.data:
        made, tries = f"{delivery.created_at:%Y-%m-%d %H:%M:%S}", str(len(delivery.attempts))
        table.add_row(delivery.id, delivery.event, made, delivery.status, tries, _last_answer(delivery))
    console.print(table)


@webhooks.command()
def replay(
    endpoint_id: EndpointId,
    message_id: Annotated[str | None, typer.Argument(help="One delivery: msg_….")] = None,
    since: Annotated[
        datetime | None, typer.Option(help="All that failed since then, in this machine's time.")
    ] = None,
    url: Url = HERE,
    key: ApiKey = None,
) -> None:
    """Send one delivery again, or all that failed since a time."""
    if (message_id is None) == (since is None):
        raise typer.BadParameter("give a delivery's id or --since")
    with service(url, key) as addit:
        if message_id is not None:
            addit.webhooks.replay(endpoint_id, message_id)
        count = addit.webhooks.replay_failed(endpoint_id, since) if since is not None else 1
    console.print(f"{count} on the way again")


def _state(endpoint: WebhookEndpoint) -> str:
    if endpoint.enabled:
        return (
            f"failing since {endpoint.failing_since:%Y-%m-%d %H:%M}" if endpoint.failing_since else "enabled"
        )
    return f"disabled: {endpoint.disabled_reason}" if endpoint.disabled_reason else "disabled"


def _last_answer(delivery: WebhookDelivery) -> str:
    """The last try in a few words, or why there was none."""
    if not delivery.attempts:
        return delivery.reason or ""
    last = delivery.attempts[-1]
    return f"{last.status} in {last.duration_ms} ms" if last.status else f"no answer: {last.error}"
