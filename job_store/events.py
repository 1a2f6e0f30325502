"""Reading jobs' streams of events. Only the scripts write them; an event's id tells its time."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from redis.asyncio import Redis

from api_schemas.events import EventType, JobEvent
from api_schemas.jobs import TERMINAL
from job_store.keys import Key
from job_store.records import moment
from job_store.server import redis_errors

PAGE = 100
"""Events of a job that are read at a time."""


async def is_over(redis: Redis, job_id: str) -> bool:
    """Whether a job has ended or is gone. Raises StoreUnavailable, as all here."""
    status = await command(redis, "HGET", Key.JOB + job_id, "status")
    return status is None or status.decode() in TERMINAL


async def last_id(redis: Redis, job_id: str) -> str:
    """The id of a job's latest event, or one before all."""
    entries = await command(redis, "XREVRANGE", Key.EVENTS + job_id, "+", "-", "COUNT", 1)
    return entries[0][0].decode() if entries else "0"


async def read(redis: Redis, job_id: str, after: str) -> list[JobEvent]:
    """The next `PAGE` events of a job after that id, or fewer."""
    entries = await command(redis, "XRANGE", Key.EVENTS + job_id, f"({after}", "+", "COUNT", PAGE)
    return _events(entries)


async def read_many(redis: Redis, after: Mapping[str, str], block_ms: int) -> dict[str, list[JobEvent]]:
    """The next events of these jobs, each after its id, as soon as there is one; none after `block_ms`."""
    keys = [Key.EVENTS + job_id for job_id in after]
    streams = await command(
        redis, "XREAD", "COUNT", PAGE, "BLOCK", block_ms, "STREAMS", *keys, *after.values()
    )
    return {key.decode().removeprefix(Key.EVENTS): _events(entries) for key, entries in streams or ()}


def order(event_id: str) -> tuple[int, int]:
    """What ids are sorted by."""
    ms, _, number = event_id.partition("-")
    return int(ms), int(number or 0)


async def command(redis: Redis, *words: str | int) -> Any:
    """One command."""
    untyped: Any = redis  # redis-py's annotations end at execute_command
    with redis_errors():
        return await untyped.execute_command(*words)


def _events(entries: Sequence[tuple[bytes, dict[bytes, bytes]]]) -> list[JobEvent]:
    return [_decode(entry_id.decode(), fields) for entry_id, fields in entries]


def _decode(event_id: str, fields: dict[bytes, bytes]) -> JobEvent:
    return JobEvent(
        id=event_id,
        type=cast(EventType, fields[b"type"].decode()),
        at=moment(event_id.split("-")[0]),
        data=json.loads(fields[b"data"]),
    )
