"""A job as it is seen while it runs: what its stream says folded into moments, its place in the queue asked
for until it starts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field, replace

from api_schemas.estimates import EtaSeconds
from api_schemas.events import JobEvent, Preview
from api_schemas.jobs import InsertionJob
from client.async_client import AsyncAddit
from client.errors import ClientError

LOOK_SECONDS = 1.0  # between looks at the queue


@dataclass(frozen=True)
class Moment:
    """What is known of a job now.

    percent: 0..100; previews: the latest by index of the seed; dropped: seeds that were let go
    """

    job_id: str
    status: str = "queued"
    stage: str = ""
    step: int = 0
    total: int = 0
    percent: float = 0.0
    position: int | None = None
    eta: EtaSeconds | None = None
    previews: dict[int, Preview] = field(default_factory=dict)
    dropped: frozenset[int] = frozenset()


def after(moment: Moment, event: JobEvent) -> Moment:
    """The moment that an event leads to."""
    match event.type:
        case "started":
            return replace(moment, status="running", stage="encode", position=None)
        case "stage" | "progress":
            known = {name: event.data[name] for name in ("stage", "step", "total", "percent")}
            return replace(moment, status="running", position=None, eta=None, **known)
        case "preview":
            preview = Preview.model_validate(event.data)
            return replace(moment, previews={**moment.previews, preview.index: preview})
        case "dropped":
            return replace(moment, dropped=moment.dropped | {int(event.data["seed"])})
        case "completed":
            return replace(moment, status=str(event.data.get("status", "succeeded")))
    return moment


def looked_at(moment: Moment, job: InsertionJob) -> Moment:
    """The moment with the job's place in the queue."""
    if job.queue is None or job.status != "queued":
        return moment
    return replace(moment, position=job.queue.position, eta=job.queue.eta_seconds)


Moments = asyncio.Queue[Moment | None]
"""None: no more come."""


async def follow(addit: AsyncAddit, job_id: str) -> AsyncIterator[Moment]:
    """The latest moment of a job, again and again until it has ended; who takes them slowly misses some in
    between. Raises ClientError."""
    moments: Moments = asyncio.Queue()
    reading = asyncio.create_task(_read(addit, job_id, moments))
    moment, has_ended = Moment(job_id), False
    try:
        while not has_ended:
            news = await _news(moments)
            has_ended = None in news
            if told := [one for one in news if one is not None]:
                moment = told[-1]
                yield moment
            elif not has_ended:
                moment = looked_at(moment, await addit.job(job_id))
                yield moment
        await reading
    finally:
        reading.cancel()
        with suppress(asyncio.CancelledError, ClientError):
            await reading


async def _read(addit: AsyncAddit, job_id: str, moments: Moments) -> None:
    moment = Moment(job_id)
    try:
        async for event in addit.events(job_id):
            moment = after(moment, event)
            moments.put_nowait(moment)
    finally:
        moments.put_nowait(None)


async def _news(moments: Moments) -> list[Moment | None]:
    """All that have come; empty if none does within LOOK_SECONDS."""
    try:
        news = [await asyncio.wait_for(moments.get(), LOOK_SECONDS)]
    except TimeoutError:
        return []
    while not moments.empty():
        news.append(moments.get_nowait())
    return news
