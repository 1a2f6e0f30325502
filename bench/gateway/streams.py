"""Many event streams at once, each of which has to see its job's whole life."""

from __future__ import annotations

import asyncio
from collections import Counter

from bench.gateway.caller import Caller
from bench.gateway.outcome import Outcome, of_load
from bench.histogram import Histogram
from bench.open_model import OK, Seen
from bench.stack import balance, until_so

LIFE = {"queued", "started", "stage", "completed"}
AT_ONCE = 32
OPEN_SECONDS = 300.0


async def streams(caller: Caller, workers: int, count: int) -> list[Outcome]:
    """All are open while no job runs; then the jobs are done, and every stream ends with its job."""
    bed, before, told = caller.bed, caller.bed.counts(), len(caller.told)
    coming, lives, opening = Histogram(), Counter[str](), Seen()
    opened, room = asyncio.Semaphore(0), asyncio.Semaphore(AT_ONCE)

    def is_open() -> None:
        room.release()
        opened.release()

    async def follow(job_id: str, number: int) -> None:
        await room.acquire()
        seen, began = set[str](), asyncio.get_running_loop().time()
        try:
            async for name, at_ms, came in caller.events(job_id, number):
                if seen:
                    coming.record(max(0.0, came - at_ms / 1000))
                else:
                    opening.ok.record(asyncio.get_running_loop().time() - began)
                    is_open()
                seen.add(name)
        except Exception as error:
            opening.seconds[type(error).__name__].record(0.0)
        if not seen:
            is_open()
        lives[OK if seen >= LIFE else "cut short"] += 1

    with bed.held(workers):
        numbers = range(caller.numbers + 1, caller.numbers + count + 1)
        for _ in numbers:
            await caller.post(0.0)
        followed = [*zip(caller.told[told:], numbers, strict=True)]
        following = [asyncio.create_task(follow(job_id, number)) for job_id, number in followed]
        async with asyncio.timeout(OPEN_SECONDS):
            for _ in following:
                await opened.acquire()
    await asyncio.gather(*following)
    await until_so(bed.at_rest, 600)
    found = balance(before, bed.counts(), count, bed.broken())
    whole = f"{lives[OK]} of {count} saw a whole life; {found.lost} lost, {found.doubled} doubled"
    more = {"lives": dict(lives), "lost": found.lost, "doubled": found.doubled, "broken": [*found.broken]}
    return [
        Outcome(
            f"events of {count} open streams, until they come",
            0,
            coming,
            lives["cut short"],
            note=whole,
            more=more,
        ),
        of_load(f"opening them, {AT_ONCE} at a time", 0, opening),
    ]
