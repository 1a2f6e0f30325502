"""The async client behaves as the blocking one."""

from __future__ import annotations

import asyncio
import inspect

import httpx

from client.async_client import AsyncAddit
from client.client import Addit
from tests.client.answers import REQUEST, job, stream
from tests.client.test_client import Service


def test_both_clients_offer_the_same_calls() -> None:
    def calls(kind: type) -> dict[str, list[str]]:
        members = inspect.getmembers(kind, inspect.isfunction)
        return {name: list(inspect.signature(it).parameters) for name, it in members if name[0] != "_"}

    assert calls(Addit) == calls(AsyncAddit)


def test_an_insertion_over_a_broken_stream() -> None:
    service = Service(
        httpx.ConnectError("refused"),
        job(),
        httpx.Response(200, content=stream(("1", "queued"), ended=False)),
        httpx.Response(200, content=stream(("2", "completed"))),
        job("succeeded"),
    )

    async def insert() -> tuple[str, list[str]]:
        seen: list[str] = []
        async with AsyncAddit("http://service", "addit_k", transport=service) as addit:
            done = await addit.insert(REQUEST, lambda event: seen.append(event.id))
        return done.status, seen

    assert asyncio.run(insert()) == ("succeeded", ["1", "2"])
    assert service.requests[3].headers["last-event-id"] == "1"
