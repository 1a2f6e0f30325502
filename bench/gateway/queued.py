"""A long line: what submits and polls take behind it, what it weighs, and that all of it gets done."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import psutil

from bench.gateway.caller import Caller
from bench.gateway.outcome import Outcome, of_load
from bench.open_model import Seen, arrive, evenly
from bench.stack import Bed, balance, until_so

MEASURED_RATE, MEASURED_SECONDS = 10.0, 10.0
AT_ONCE = 8


async def queued(
    caller: Caller, workers: int, count: int, seconds: float = MEASURED_SECONDS
) -> list[Outcome]:
    """The same measured rate into an empty line, and into one of `count` jobs."""
    bed, before, told = caller.bed, caller.bed.counts(), len(caller.told)
    with bed.held(workers):
        empty, empty_polls = await _submits_and_polls(caller, seconds)
    await until_so(bed.at_rest, 600)
    weight = _weights(bed)
    await asyncio.to_thread(bed.pause, True)
    filling = time.monotonic()
    await asyncio.gather(*(_fill(caller, count // AT_ONCE) for _ in range(AT_ONCE)))
    filling = time.monotonic() - filling
    await asyncio.to_thread(bed.pause, False)
    with bed.held(workers):
        full, full_polls = await _submits_and_polls(caller, seconds)
        heavier = {name: now - weight[name] for name, now in _weights(bed).items()}
        waited = bed.waiting()
    drained = time.monotonic()
    await until_so(bed.at_rest, 3600)
    drained = time.monotonic() - drained
    found = balance(before, bed.counts(), len(caller.told) - told, bed.broken())
    memory = ", ".join(f"{name} {bytes_ / 2**20:+.0f} MiB" for name, bytes_ in heavier.items())
    note = (
        f"{waited} waited; filled in {filling:.0f} s, done in {drained:.0f} s; {memory}; "
        f"{found.lost} lost, {found.doubled} doubled"
    )
    more = {
        "waited": waited, "filled_seconds": filling, "drained_seconds": drained, "memory": heavier,
        "lost": found.lost, "doubled": found.doubled, "broken": [*found.broken],
    }  # fmt: skip
    return [
        of_load("submits, nothing waits", MEASURED_RATE, empty),
        of_load("polls of them", MEASURED_RATE, empty_polls),
        of_load(f"submits behind {count} jobs", MEASURED_RATE, full, note, more),
        of_load("polls of them, the last of the line", MEASURED_RATE, full_polls),
    ]


async def _submits_and_polls(caller: Caller, seconds: float) -> tuple[Seen, Seen]:
    began = len(caller.told), caller.numbers
    submitted = await arrive(evenly(MEASURED_RATE, seconds), lambda number: caller.submit())
    polled = [*zip(caller.told[began[0] :], range(began[1] + 1, caller.numbers + 1), strict=True)]
    moments = evenly(MEASURED_RATE, len(polled) / MEASURED_RATE)
    return submitted, await arrive(moments, lambda number: caller.poll(*polled[number]))


async def _fill(caller: Caller, count: int) -> None:
    for _ in range(count):
        await caller.submit()


def _weights(bed: Bed) -> dict[str, float]:
    """Bytes of the store and of the gateway's processes."""
    gateway = psutil.Process(next(part for part in bed.stack.parts if part.name == "gateway").process.pid)
    processes: Sequence[psutil.Process] = [gateway, *gateway.children(recursive=True)]
    store = bed.redis.info("memory")["used_memory"]
    return {"store": store, "gateway": sum(one.memory_info().rss for one in processes)}
