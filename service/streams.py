"""A job's events as Server-Sent Events: resumable, kept awake, bounded in time and number."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from api_schemas.events import JobEvent
from job_store.errors import StoreUnavailable
from job_store.views import Link
from service.errors import Refusal
from service.gateway import Gateway

LIFE_SECONDS = 600.0
"""A stream ends after this long; clients resume with Last-Event-ID by themselves."""
STREAMS_PER_TENANT = 100
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class EventStream(StreamingResponse):
    """A stream that counts among its tenant's. A reader who takes nothing is cut off by the server."""

    def __init__(self, gateway: Gateway, tenant: str, events: AsyncIterator[bytes]) -> None:
        if gateway.streams[tenant] >= STREAMS_PER_TENANT:
            detail = f"At most {STREAMS_PER_TENANT} event streams may be open."
            raise Refusal("rate_limited", detail, headers={"Retry-After": "15"})
        super().__init__(events, headers=HEADERS, media_type="text/event-stream")
        self._streams, self._tenant = gateway.streams, tenant

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._streams[self._tenant] += 1
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._streams[self._tenant] -= 1


async def job_events(gateway: Gateway, job_id: str, after: str | None) -> AsyncIterator[bytes]:
    """A job's events on the wire, from the first or after one."""
    yield b": connected\n\n"
    with suppress(StoreUnavailable):  # the client comes back with its Last-Event-ID
        async for event in until_stopped(gateway, job_id, after):
            yield encode(linked(event, gateway.links.artifact)) if event else b": heartbeat\n\n"


def linked(event: JobEvent, link: Link) -> JobEvent:
    """The event with a signed link in place of its artifact's key."""
    if event.type != "preview":
        return event
    return event.model_copy(update={"data": {**event.data, "url": link(event.data["url"])}})


def encode(event: JobEvent) -> bytes:
    """One event on the wire. Its JSON holds no line break."""
    return f"id: {event.id}\nevent: {event.type}\ndata: {event.model_dump_json()}\n\n".encode()


async def until_stopped(gateway: Gateway, job_id: str, after: str | None) -> AsyncIterator[JobEvent | None]:
    """The store's events and ticks, until the last, the end of a stream's life or of the process."""
    loop = asyncio.get_running_loop()
    events, end = gateway.events.follow(job_id, after), loop.time() + LIFE_SECONDS
    stop = asyncio.ensure_future(gateway.stopping.wait())
    coming = None
    try:
        while loop.time() < end:
            coming = asyncio.ensure_future(_next(events))
            await asyncio.wait({coming, stop}, return_when=asyncio.FIRST_COMPLETED)
            if not coming.done():
                return
            yield coming.result()
    except _Ended:
        return
    finally:
        stop.cancel()
        if coming:  # a reader who left must not keep a connection to the store
            coming.cancel()


class _Ended(Exception):
    """StopAsyncIteration may not pass through a task."""


async def _next(events: AsyncIterator[JobEvent | None]) -> JobEvent | None:
    async for event in events:
        return event
    raise _Ended
