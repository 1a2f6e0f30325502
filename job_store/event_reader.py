"""All followers of a process on one connection: who follows a job hears of it from one blocking read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from redis.asyncio import Redis

from api_schemas.events import JobEvent
from job_store.errors import StoreUnavailable
from job_store.events import PAGE, command, is_over, last_id, order, read, read_many

HEARTBEAT_SECONDS = 15.0
BLOCK_MS = 10_000
GATHER_SECONDS = 0.01
"""After a read: what happens at about the same time is read together."""
NUDGE_SECONDS = 0.01
CLOSE_SECONDS = 2.0
RETRY_SECONDS = 0.2
"""Before the store is asked again that did not answer."""


@dataclass
class _Followed:
    """A job that somebody follows. last: the id of the latest event that was read, for all who follow."""

    last: str
    listeners: list[asyncio.Queue[JobEvent]] = field(default_factory=list)


class EventReader:
    """Followers of one event loop. What they are told may come late but is never missing: each reads what it
    missed before it listens, and again after a quiet time.

    redis: for short reads; blocking: a client of a single connection that is not connected anew by itself
    """

    def __init__(self, redis: Redis, blocking: Redis) -> None:
        self._redis, self._blocking = redis, blocking
        self._followed: dict[str, _Followed] = {}
        self._changed = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None
        self._closing = False

    @property
    def listening(self) -> int:
        """How many follow now."""
        return sum(len(followed.listeners) for followed in self._followed.values())

    async def follow(self, job_id: str, after: str | None) -> AsyncIterator[JobEvent | None]:
        """The job's events after that id (None: all of them), as they come; None after each quiet
        `HEARTBEAT_SECONDS`.

        Ends behind `completed`, and when the job is gone. Raises StoreUnavailable; go on after the last id
        then.
        """
        last = after or "0"
        with self._listening(job_id, await last_id(self._redis, job_id)) as news:
            over, page = await self._missed(job_id, last)
            while True:
                for event in page:
                    yield event
                    last = event.id
                    if event.type == "completed":
                        return
                if len(page) == PAGE:  # more may lie there
                    page = await read(self._redis, job_id, last)
                    continue
                if over:
                    return
                page = await _coming(news, last)
                if not page:
                    over, page = await self._missed(job_id, last)
                    if not (page or over):
                        yield None

    async def wait_for_end(self, job_id: str, seconds: float) -> None:
        """Return when the job has ended or is gone, or after `seconds`. Raises StoreUnavailable."""
        end = asyncio.ensure_future(self._end(job_id, asyncio.get_running_loop().time() + seconds))
        try:
            await asyncio.wait({end}, timeout=seconds)
            if end.done():
                end.result()
        finally:
            end.cancel()

    async def _end(self, job_id: str, latest: float) -> None:
        async for _ in self.follow(job_id, await last_id(self._redis, job_id)):
            if asyncio.get_running_loop().time() > latest:
                return  # redis-py may lose the cancellation of a read

    async def close(self) -> None:
        """Read no more. Whoever still follows hears nothing new."""
        self._closing = True
        self._changed.set()
        if self._reading:
            await asyncio.wait({self._reading}, timeout=CLOSE_SECONDS)
        await self._blocking.aclose()
        await self._redis.aclose()

    async def _missed(self, job_id: str, last: str) -> tuple[bool, list[JobEvent]]:
        """(whether the job is over, its first events since then), asked in this order: no end is missed."""
        return await is_over(self._redis, job_id), await read(self._redis, job_id, last)

    @contextmanager
    def _listening(self, job_id: str, last: str) -> Iterator[asyncio.Queue[JobEvent]]:
        """What the reader reads of a job, from now on: a moment's events may come twice."""
        followed = self._followed.setdefault(job_id, _Followed(last))
        news: asyncio.Queue[JobEvent] = asyncio.Queue()
        followed.listeners.append(news)
        self._changed.set()
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read_on())
        try:
            yield news
        finally:
            followed.listeners.remove(news)
            if not followed.listeners:
                self._followed.pop(job_id, None)

    async def _read_on(self) -> None:
        """As long as anybody follows. When a store that went away is back, go on after the last ids."""
        while self._followed and not self._closing:
            try:
                client_id = await command(self._blocking, "CLIENT", "ID")
                while self._followed and not self._closing:
                    await self._read_once(client_id)
            except StoreUnavailable:
                await asyncio.sleep(RETRY_SECONDS)

    async def _read_once(self, client_id: int) -> None:
        self._changed.clear()
        after = {job_id: followed.last for job_id, followed in self._followed.items()}
        coming = asyncio.ensure_future(read_many(self._blocking, after, BLOCK_MS))
        changed = asyncio.ensure_future(self._changed.wait())
        await asyncio.wait({coming, changed}, return_when=asyncio.FIRST_COMPLETED)
        changed.cancel()
        while not coming.done():  # it is to begin anew, with whom was added; redis-py may lose a cancellation
            with suppress(StoreUnavailable):  # then the read fails as well
                await command(self._redis, "CLIENT", "UNBLOCK", client_id)
            await asyncio.wait({coming}, timeout=NUDGE_SECONDS)
        self._tell(await coming)
        await asyncio.sleep(GATHER_SECONDS)

    def _tell(self, found: dict[str, list[JobEvent]]) -> None:
        for job_id, events in found.items():
            followed = self._followed.get(job_id)
            if followed is None:
                continue
            followed.last = events[-1].id
            for event in events:
                for news in followed.listeners:
                    news.put_nowait(event)


async def _coming(news: asyncio.Queue[JobEvent], last: str) -> list[JobEvent]:
    """At least one event that is later, with those that came with it; none after a quiet time."""
    with suppress(TimeoutError):
        async with asyncio.timeout(HEARTBEAT_SECONDS):
            while True:
                found = [await news.get()]
                while not news.empty():
                    found.append(news.get_nowait())
                later = [event for event in found if order(event.id) > order(last)]
                if later:
                    return later
    return []
