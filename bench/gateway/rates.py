"""The highest rates of submits and of polls that keep their promise, by a search over rates."""

from __future__ import annotations

import asyncio
import itertools
import math
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from bench.gateway.caller import Caller
from bench.gateway.outcome import Outcome, of_load
from bench.open_model import Seen, arrive, evenly, highest
from bench.stack import balance, until_so
from job_store.errors import WrongState

SUBMIT_P99, POLL_P99 = 0.1, 0.025
"""Seconds."""
POLLED = 20
WARM_SECONDS = 1.0


async def submits(
    caller: Caller,
    workers: int,
    seconds: float,
    first: float = 25.0,
    most: float = math.inf,
    limit: float = SUBMIT_P99,
) -> list[Outcome]:
    """Workers are busy meanwhile, so jobs wait as they do under load; between trials they are done."""
    bed, before, told = caller.bed, caller.bed.counts(), len(caller.told)

    async def trial(rate: float) -> Seen:
        with bed.held(workers):
            await _warm(caller, rate)
            seen, alive = await asyncio.gather(
                arrive(evenly(rate, seconds), lambda number: caller.submit()),
                arrive(evenly(20, seconds), caller.alive),
            )
            livez.append(alive)
        await until_so(bed.at_rest, 600)
        return seen

    livez = list[Seen]()
    rate, best, trials = await highest(trial, first, 0.99, limit, most)
    found = balance(before, bed.counts(), len(caller.told) - told, bed.broken())
    note = f"{found.told} jobs, {found.lost} lost, {found.doubled} doubled"
    more = {"lost": found.lost, "doubled": found.doubled, "broken": [*found.broken], "trials": _told(trials)}
    beside = livez[[tried for tried, _ in trials].index(rate)] if best else livez[-1]
    return [
        of_load(f"submits, p99 below {1000 * limit:g} ms", rate, best or trials[-1][1], note, more),
        of_load("a turn of the loop meanwhile (`/livez`)", 20, beside),
    ]


async def polls(
    caller: Caller,
    workers: int,
    seconds: float,
    first: float = 100.0,
    most: float = math.inf,
    limit: float = POLL_P99,
) -> list[Outcome]:
    """Of jobs that wait, that run and that have ended, a third each."""
    bed, at = caller.bed, caller.numbers
    ended = [await _submitted(caller, 0.0) for _ in range(POLLED)]
    await until_so(bed.at_rest, 60)
    with bed.held(workers - 1):
        running = await _submitted(caller, 80.0, options={"num_inference_steps": 80})
        await until_so(lambda: bed.waiting() == 0, 60)
        waiting = [await _submitted(caller, 0.0) for _ in range(POLLED)]
        looked_at = itertools.cycle(
            polled
            for place in range(POLLED)
            for polled in (
                (ended[place], at + place + 1),
                (running, at + POLLED + 1),
                (waiting[place], at + POLLED + 2 + place),
            )
        )

        async def trial(rate: float) -> Seen:
            await arrive(evenly(rate / 2, WARM_SECONDS), lambda number: caller.poll(*next(looked_at)))
            return await arrive(evenly(rate, seconds), lambda number: caller.poll(*next(looked_at)))

        rate, best, trials = await highest(trial, first, 0.99, limit, most)
    with suppress(WrongState):  # the search took long
        bed.jobs.cancel(running, bed.tenant(at + POLLED + 1))
    await until_so(bed.at_rest, 600)
    return [
        of_load(
            f"polls, p99 below {1000 * limit:g} ms",
            rate,
            best or trials[-1][1],
            more={"trials": _told(trials)},
        )
    ]


async def _submitted(caller: Caller, seconds: float, **fields: Any) -> str:
    await caller.post(seconds, **fields)
    return caller.told[-1]


async def _warm(caller: Caller, rate: float) -> None:
    """Connections, threads and code."""
    await arrive(evenly(rate / 2, WARM_SECONDS), lambda number: caller.submit())


def _told(trials: Sequence[tuple[float, Seen]]) -> list[dict[str, float]]:
    return [
        {"rate": rate, "p99": seen.ok.percentile(0.99), "errors": seen.errors, "dropped": seen.dropped}
        for rate, seen in trials
    ]
