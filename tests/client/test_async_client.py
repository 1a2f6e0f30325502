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


FOLLOWED = 150  # more than the 100 connections that httpx opens where nobody says otherwise


def test_many_followed_jobs_keep_no_other_call_waiting() -> None:
    streaming = 0
    everybody = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal streaming
        asked = await reader.readuntil(b"\r\n\r\n")
        if b"/events " in asked:
            writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n: here\n\n")
            await writer.drain()
            streaming += 1
            if streaming == FOLLOWED:
                everybody.set()
            await reader.read()
        else:
            answer = job()
            length = f"content-length: {len(answer.content)}\r\n\r\n".encode()
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n" + length + answer.content)
            await writer.drain()
        writer.close()

    async def follow(addit: AsyncAddit, number: int) -> None:
        async for _ in addit.events(f"ins_{number}"):
            pass

    async def ask() -> str:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        address = "http://{}:{}".format(*server.sockets[0].getsockname())
        async with server, AsyncAddit(address, "addit_k") as addit:
            following = [asyncio.create_task(follow(addit, number)) for number in range(FOLLOWED)]
            await asyncio.wait_for(everybody.wait(), 60)
            asked = await asyncio.wait_for(addit.job("ins_1"), 30)
            for task in following:
                task.cancel()
            await asyncio.gather(*following, return_exceptions=True)
        return asked.id

    assert asyncio.run(ask()) == str(job().json()["id"])
