"""The policy goes with every answer."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

from studio.privacy import OwnOnly


def test_every_answer_carries_the_policy_and_keeps_its_own_headers() -> None:
    sent: list[MutableMapping[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-own", b"1")]})
        await send({"type": "http.response.body", "body": b"hello"})

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    asyncio.run(OwnOnly(app)({"type": "http"}, None, send))
    headers = dict(sent[0]["headers"])
    assert headers[b"x-own"] == b"1"
    assert b"default-src 'self'" in headers[b"content-security-policy"]
    assert sent[1] == {"type": "http.response.body", "body": b"hello"}
