"""Many event streams at once, each of which has to see its job's whole life."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field

from bench.gateway.caller import Caller
from bench.gateway.outcome import Outcome
from bench.histogram import Histogram
from bench.open_model import OK
from bench.stack import balance, until_so

LIFE = {"queued", "started", "stage", "completed"}
AT_ONCE = 32
OPEN_SECONDS = 300.0
MOST_RESUMED = 10
"""How often a stream is taken up again that ended before its job, as clients do."""


@dataclass
class Followed:
    """All streams. opening: seconds to the first event; coming: from an event to its arrival on an open
    stream; resumed: streams that had to be taken up again"""

    opening: Histogram = field(default_factory=Histogram)
    coming: Histogram = field(default_factory=Histogram)
    lives: Counter[str] = field(default_factory=Counter)
    resumed: int = 0
    room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))
    opened: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    async def follow(self, caller: Caller, job_id: str, number: int) -> None:
        """One job, to its end."""
        await self.room.acquire()
        seen, last, began = set[str](), "", time.time()
        for attempt in range(MOST_RESUMED):
            self.resumed += bool(attempt)
            try:
                async for name, event_id, came in caller.events(job_id, number, last):
                    at = int(event_id.split("-")[0]) / 1000
                    if not seen:
                        self.opening.record(came - began)
                        self._is_open()
                        began = came
                    elif at > began:
                        self.coming.record(came - at)
                    seen.add(name)
                    last = event_id
            except Exception as error:
                self.lives[type(error).__name__] += 1
            if "completed" in seen:
                break
        if not seen:
            self._is_open()
        self.lives[OK if seen >= LIFE else "cut short"] += 1

    def _is_open(self) -> None:
        self.room.release()
        self.opened.release()


async def streams(caller: Caller, count: int) -> list[Outcome]:
    """All are open before any job may start; then the jobs are done, and every stream ends with its job."""
    bed, before, told = caller.bed, caller.bed.counts(), len(caller.told)
    followed, first = Followed(), caller.numbers + 1
    bed.pause(True)
    for _ in range(count):
        await caller.post(0.0)
    following = [
        asyncio.create_task(followed.follow(caller, job_id, first + place))
        for place, job_id in enumerate(caller.told[told:])
    ]
    async with asyncio.timeout(OPEN_SECONDS):
        for _ in following:
            await followed.opened.acquire()
    bed.pause(False)
    await asyncio.gather(*following)
    await until_so(bed.at_rest, 600)
    found, cut = balance(before, bed.counts(), count, bed.broken()), count - followed.lives[OK]
    note = (
        f"{count - cut} of {count} saw a whole life, {followed.resumed} taken up again; "
        f"{found.lost} lost, {found.doubled} doubled"
    )
    more = {
        "lives": dict(followed.lives), "cut": cut, "resumed": followed.resumed,
        "lost": found.lost, "doubled": found.doubled, "broken": [*found.broken],
    }  # fmt: skip
    return [
        Outcome(f"events of {count} open streams, until they come", 0, followed.coming, cut, 0, note, more),
        Outcome(f"opening them, {AT_ONCE} at a time", 0, followed.opening),
    ]
