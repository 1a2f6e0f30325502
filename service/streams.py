"""A job's events as Server-Sent Events: resumable, kept awake, bounded in time and number, ended when the process stops."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from api_schemas.events import JobEvent
from job_store.events import follow
from service.errors import Refusal
from service.gateway import Gateway

HEARTBEAT_SECONDS = 15.0
LIFE_SECONDS = 600.0
"""A stream ends after this long; clients resume with Last-Event-ID by themselves."""
STREAMS_PER_TENANT = 100
SLOW_READER_SECONDS = 15.0
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class EventStream(StreamingResponse):
    """A stream that gives up on a reader who does not take what is sent."""

    def __init__(self, gateway: Gateway, tenant: str, job_id: str, after: str | None) -> None:
        if gateway.streams[tenant] >= STREAMS_PER_TENANT:
            detail = f"At most {STREAMS_PER_TENANT} event streams may be open."
            raise Refusal("rate_limited", detail, headers={"Retry-After": "15"})
        super().__init__(_bytes(gateway, job_id, after), headers=HEADERS, media_type="text/event-stream")
        self._streams, self._tenant = gateway.streams, tenant

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def patient(message: Message) -> None:
            async with asyncio.timeout(SLOW_READER_SECONDS):
                await send(message)

        self._streams[self._tenant] += 1
        try:
            await super().__call__(scope, receive, patient)
        finally:
            self._streams[self._tenant] -= 1


async def _bytes(gateway: Gateway, job_id: str, after: str | None) -> AsyncIterator[bytes]:
    yield b": connected\n\n"
    async for event in _until_stopped(gateway, job_id, after):
        yield encode(event) if event else b": heartbeat\n\n"


def encode(event: JobEvent) -> bytes:
    """One event on the wire. Its JSON holds no line break."""
    return f"id: {event.id}\nevent: {event.type}\ndata: {event.model_dump_json()}\n\n".encode()


async def _until_stopped(gateway: Gateway, job_id: str, after: str | None) -> AsyncIterator[JobEvent | None]:
    events = follow(gateway.redis_async, job_id, after)
    stop = asyncio.ensure_future(gateway.stopping.wait())
    end = asyncio.get_running_loop().time() + LIFE_SECONDS
    coming: asyncio.Future[JobEvent | None] | None = None
    try:
        while not stop.done() and asyncio.get_running_loop().time() < end:
            coming = coming or asyncio.ensure_future(anext(events))
            await asyncio.wait({coming, stop}, timeout=HEARTBEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if not coming.done():
                yield None
                continue
            try:
                yield coming.result()
            except StopAsyncIteration:
                return
            coming = None
    finally:
        stop.cancel()
        if coming:
            coming.cancel()
