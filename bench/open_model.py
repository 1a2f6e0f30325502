"""Open-model load: calls begin at moments fixed beforehand, however the last ones fare, and their time counts
from the moment they were meant to begin. So neither a slow server nor a slow generator hides a wait
("coordinated omission", Tene 2013)."""

from __future__ import annotations

import asyncio
import math
import random
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field

from bench.histogram import Histogram

OK = "ok"
MOST_OPEN = 2_000
"""Calls under way at a time; an arrival beyond them is dropped, and counted."""

Call = Callable[[int], Awaitable[str]]
"""The number of an arrival -> how it ended, `OK` or the name of what went wrong."""


@dataclass
class Seen:
    """Seconds by how calls ended, from the moments that they were meant to begin; late: how far behind the
    generator itself sent them."""

    seconds: dict[str, Histogram] = field(default_factory=lambda: defaultdict(Histogram))
    late: Histogram = field(default_factory=Histogram)
    dropped: int = 0

    @property
    def ok(self) -> Histogram:
        """Of the calls that went well."""
        return self.seconds[OK]

    @property
    def errors(self) -> int:
        """Calls that did not."""
        return sum(one.count for name, one in self.seconds.items() if name != OK)

    def keeps(self, share: float, limit: float) -> bool:
        """Whether nothing was dropped or went wrong, and this share took no longer than `limit` seconds."""
        return not (self.dropped or self.errors) and self.ok.percentile(share) < limit


def evenly(rate: float, seconds: float) -> Iterator[float]:
    """Moments at a constant rate, seconds from the beginning."""
    return (number / rate for number in range(round(rate * seconds)))


def by_chance(dice: random.Random, rate: float, seconds: float) -> Iterator[float]:
    """Those of a Poisson process."""
    at = dice.expovariate(rate)
    while at < seconds:
        yield at
        at += dice.expovariate(rate)


async def arrive(moments: Iterable[float], call: Call, most_open: int = MOST_OPEN) -> Seen:
    """Call at each of the moments, in order; returns when all calls are over. What a call raises is how it
    ended."""
    loop, seen, open_calls = asyncio.get_running_loop(), Seen(), set[asyncio.Task[None]]()
    began = loop.time()
    for number, moment in enumerate(moments):
        await asyncio.sleep(began + moment - loop.time())
        if len(open_calls) >= most_open:
            seen.dropped += 1
            continue
        seen.late.record(loop.time() - began - moment)
        task = asyncio.create_task(_timed(call, number, began + moment, seen))
        open_calls.add(task)
        task.add_done_callback(open_calls.discard)
    await asyncio.gather(*open_calls)
    return seen


async def _timed(call: Call, number: int, due: float, seen: Seen) -> None:
    try:
        ended = await call(number)
    except Exception as error:
        ended = type(error).__name__
    seen.seconds[ended].record(asyncio.get_running_loop().time() - due)


async def highest(
    trial: Callable[[float], Awaitable[Seen]],
    first: float,
    share: float,
    limit: float,
    most: float = math.inf,
    nearness: float = 0.15,
) -> tuple[float, Seen | None, list[tuple[float, Seen]]]:
    """(the highest rate found whose trial keeps the limit, its trial, all trials): doubled from `first` until
    one does not, or is `most`, then halved in between until they are `nearness` apart. 0 and None if not even
    an eighth of `first` does."""
    trials = list[tuple[float, Seen]]()
    low, failed, best, rate = 0.0, math.inf, None, min(first, most)
    while True:
        seen = await trial(rate)
        trials.append((rate, seen))
        if seen.keeps(share, limit):
            low, best = rate, seen
        else:
            failed = rate
        if low == most or low >= failed * (1 - nearness) or failed <= first / 8:
            return low, best, trials
        rate = min(2 * low, most) if failed == math.inf else (low + failed) / 2
