"""The API's description tells what the service sends, too."""

from __future__ import annotations

from typing import get_args

import pytest

from api_schemas.webhooks import DeliveryEvent
from runtime.settings import Settings
from service.app import create_app


@pytest.fixture(scope="module")
def webhooks(settings: Settings) -> dict:
    document = create_app(settings).openapi()
    return document["webhooks"] | {"schemas": document["components"]["schemas"]}


def test_every_event_is_told_of_with_its_body(webhooks: dict) -> None:
    told = set()
    for name in ("insertion", "webhook_endpoint.disabled", "webhook_endpoint.test"):
        content = webhooks[name]["post"]["requestBody"]["content"]["application/json"]
        kind = webhooks["schemas"][content["schema"]["$ref"].rpartition("/")[2]]["properties"]["type"]
        told |= {*kind.get("enum", [kind.get("const")])}
    assert told == {*get_args(DeliveryEvent)}


def test_every_header_and_answer_is_described(webhooks: dict) -> None:
    for name in set(webhooks) - {"schemas"}:
        operation = webhooks[name]["post"]
        headers = {header["name"]: header["description"] for header in operation["parameters"]}
        assert set(headers) >= {"webhook-id", "webhook-timestamp", "webhook-signature"}
        assert operation["description"]
        assert {"204", "4XX"} <= set(operation["responses"])
