"""Following a job's stream of events. Only the scripts write it; an event's id tells its time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, cast

from redis.asyncio import Redis

from api_schemas.events import EventType, JobEvent
from api_schemas.jobs import TERMINAL
from job_store.keys import Key
from job_store.records import moment
from job_store.server import redis_errors

HEARTBEAT_MS = 15_000
PAGE = 100


async def follow(redis: Redis, job_id: str, after: str | None) -> AsyncIterator[JobEvent | None]:
    """The job's events after that id (None: all of them), as they come; None after each quiet `HEARTBEAT_MS`.

    Ends behind `completed`, and when the job is gone. Raises StoreUnavailable; go on after the last id then.
    """
    last = after or "0"
    while True:
        over = await _is_over(redis, job_id)  # asked before reading: what ends later is still to be read
        page = await _read(redis, job_id, last, None if over else HEARTBEAT_MS)
        for event in page:
            yield event
            last = event.id
            if event.type == "completed":
                return
        if not page and over:
            return
        if not page:
            yield None


async def wait_for_end(redis: Redis, job_id: str, seconds: float) -> None:
    """Return when the job has ended or is gone, at the latest after `seconds`. Raises StoreUnavailable."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            async for _ in follow(redis, job_id, await _last_id(redis, job_id)):
                pass


async def _is_over(redis: Redis, job_id: str) -> bool:
    status = await _command(redis, "HGET", Key.JOB + job_id, "status")
    return status is None or status.decode() in TERMINAL


async def _last_id(redis: Redis, job_id: str) -> str | None:
    entries = await _command(redis, "XREVRANGE", Key.EVENTS + job_id, "+", "-", "COUNT", 1)
    return entries[0][0].decode() if entries else None


async def _read(redis: Redis, job_id: str, last: str, block_ms: int | None) -> list[JobEvent]:
    block = () if block_ms is None else ("BLOCK", block_ms)
    streams = await _command(redis, "XREAD", "COUNT", PAGE, *block, "STREAMS", Key.EVENTS + job_id, last)
    entries = streams[0][1] if streams else []
    return [_decode(entry_id.decode(), fields) for entry_id, fields in entries]


def _decode(event_id: str, fields: dict[bytes, bytes]) -> JobEvent:
    return JobEvent(
        id=event_id,
        type=cast(EventType, fields[b"type"].decode()),
        at=moment(event_id.split("-")[0]),
        data=json.loads(fields[b"data"]),
    )


async def _command(redis: Redis, *words: str | int) -> Any:
    untyped: Any = redis  # redis-py's annotations end at execute_command
    with redis_errors():
        return await untyped.execute_command(*words)
