"""What one insertion takes beyond its engine's own time, and how soon an engine begins; few at a time."""

from __future__ import annotations

import time

from bench.gateway.caller import Caller
from bench.gateway.outcome import Outcome, of_load
from bench.histogram import Histogram
from bench.open_model import OK, arrive, evenly

SERVICE_SECONDS = 0.05
WAIT = {"Prefer": "wait=60"}


async def insertions(caller: Caller, seconds: float, rate: float = 4.0) -> list[Outcome]:
    """Each waits for its result in the call itself, then reads when its engine began."""
    over, starts, began = Histogram(), Histogram(), time.time()

    async def one(number: int) -> str:
        due = began + number / rate
        status, told = await caller.post(SERVICE_SECONDS, WAIT)
        if status != 200:
            return str(status)
        over.record(time.time() - due - told["result"]["cost"]["gpu_seconds"])
        async for name, event_id, _ in caller.events(told["id"], told["metadata"]["number"]):
            if name == "stage":  # the first thing an engine says
                starts.record(max(0.0, int(event_id.split("-")[0]) / 1000 - due))
                return OK
        return "no stage"

    await arrive(evenly(rate, 1.0), one)
    over, starts, began = Histogram(), Histogram(), time.time()
    seen = await arrive(evenly(rate, seconds), one)
    told = of_load("", rate, seen)
    return [
        Outcome(what, rate, histogram, seen.errors, seen.dropped, told.note)
        for what, histogram in (
            ("from submit to the engine's first word", starts),
            ("an insertion, without its engine's time", over),
        )
    ]
