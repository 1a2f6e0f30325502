"""Calls of the API with little work for each, so that the server is what is measured."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from bench.open_model import OK
from bench.stack import Bed, body

CALL_SECONDS = 60.0


@dataclass
class Caller:
    """Of one stack. told: jobs that were accepted, in order."""

    bed: Bed
    http: aiohttp.ClientSession
    told: list[str] = field(default_factory=list)
    numbers: int = 0

    async def submit(self, seconds: float = 0.0, **fields: Any) -> str:
        """One job; how it ended."""
        status, told = await self.post(seconds, **fields)
        return OK if status == 202 else told.get("code", str(status))

    async def post(
        self, seconds: float, headers: dict[str, str] | None = None, **fields: Any
    ) -> tuple[int, dict[str, Any]]:
        """(status, answer) of one job more, of tenants in turn."""
        self.numbers += 1
        number = self.numbers
        given = {**self.bearer(number), "Content-Type": "application/json", **(headers or {})}
        data = json.dumps(body(seconds, number, **fields)).encode()
        async with self.http.post("/v1/insertions", data=data, headers=given) as answer:
            told: dict[str, Any] = json.loads(await answer.read())
        if answer.status in (200, 202):
            self.told.append(told["id"])
        return answer.status, told

    async def poll(self, job_id: str, number: int) -> str:
        """Look at a job that tenant `number` has; how it ended."""
        async with self.http.get(f"/v1/insertions/{job_id}", headers=self.bearer(number)) as answer:
            await answer.read()
        return OK if answer.status == 200 else str(answer.status)

    async def alive(self, number: int) -> str:
        """What costs the server nothing but a turn of its loop."""
        async with self.http.get("/livez") as answer:
            await answer.read()
        return OK if answer.status == 200 else str(answer.status)

    async def events(
        self, job_id: str, number: int, after: str = ""
    ) -> AsyncIterator[tuple[str, str, float]]:
        """(type, id, Unix seconds of its coming) of each event of a job after that id; an id begins with the
        Unix milliseconds of what it tells."""
        url, name, event_id = f"/v1/insertions/{job_id}/events", "", ""
        resuming = {"Last-Event-ID": after} if after else {}
        async with self.http.get(url, headers=self.bearer(number) | resuming) as answer:
            answer.raise_for_status()
            async for line in answer.content:
                if line.startswith(b"id: "):
                    event_id = line[4:].strip().decode()
                elif line.startswith(b"event: "):
                    name = line[7:].strip().decode()
                elif line.startswith(b"data: "):
                    yield name, event_id, time.time()

    def bearer(self, number: int) -> dict[str, str]:
        """Of tenant `number`, the one that had the job of this number."""
        return {"Authorization": f"Bearer {self.bed.key(number)}"}


@asynccontextmanager
async def calling(bed: Bed) -> AsyncIterator[Caller]:
    """Connections are kept and as many as calls are open."""
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=30)
    timeout = aiohttp.ClientTimeout(total=None, sock_read=CALL_SECONDS, sock_connect=CALL_SECONDS)
    async with aiohttp.ClientSession(bed.stack.url, connector=connector, timeout=timeout) as http:
        yield Caller(bed, http)
