"""Open-model load: what a stall hides in a closed loop is seen, arrivals keep their moments."""

from __future__ import annotations

import asyncio
import random
import time

import pytest

from bench.open_model import OK, Seen, arrive, by_chance, evenly, highest

STALL = 0.5


def test_everybody_who_was_to_come_during_a_stall_has_waited() -> None:
    """One server that stands still for half a second: a closed loop would see one slow call."""
    server, moments = asyncio.Lock(), [*evenly(50, 1.0)]

    async def call(number: int) -> str:
        async with server:
            if number == 0:
                await asyncio.sleep(STALL)
        return OK

    seen = asyncio.run(arrive(moments, call))
    expected = sum(moment < STALL / 2 for moment in moments)
    assert seen.ok.count == len(moments)
    assert sum(count for value, count in samples(seen) if value > STALL / 2) >= expected


def samples(seen: Seen) -> list[tuple[float, int]]:
    """(seconds, how many) by rank."""
    count = seen.ok.count
    return [(seen.ok.percentile((rank + 0.5) / count), 1) for rank in range(count)]


def test_a_generator_that_is_held_up_counts_its_own_lateness() -> None:
    async def call(number: int) -> str:
        if number == 0:
            time.sleep(STALL)  # the loop itself stands still
        return OK

    seen = asyncio.run(arrive(evenly(20, 0.5), call))
    assert seen.ok.percentile(0.5) > STALL / 4
    assert seen.late.most > STALL / 4


def test_errors_and_dropped_arrivals_are_told_apart() -> None:
    async def call(number: int) -> str:
        if number == 1:
            raise ConnectionResetError
        await asyncio.sleep(0 if number in (2, 3) else 0.3)
        return "queue_full" if number == 2 else OK

    seen = asyncio.run(arrive([0.0, 0.01, 0.02, 0.03, 0.04, 0.05], call, most_open=2))
    assert (seen.dropped, seen.errors) == (1, 2)
    assert {name for name, one in seen.seconds.items() if one.count} == {
        OK,
        "queue_full",
        "ConnectionResetError",
    }
    assert not seen.keeps(0.99, 10.0)


def test_arrivals_by_chance_have_the_rate_and_its_variance() -> None:
    counts = [len([*by_chance(random.Random(seed), 20, 10)]) for seed in range(400)]
    mean = sum(counts) / len(counts)
    assert mean == pytest.approx(200, rel=0.02)
    assert sum((count - mean) ** 2 for count in counts) / len(counts) == pytest.approx(200, rel=0.25)
    assert [*evenly(4, 1.0)] == [0.0, 0.25, 0.5, 0.75]


@pytest.mark.parametrize("capacity", [7.0, 90.0, 333.0])
def test_the_highest_rate_is_found(capacity: float) -> None:
    async def trial(rate: float) -> Seen:
        seen = Seen()
        seen.ok.record(0.01 if rate <= capacity else 1.0)
        return seen

    rate, seen, trials = asyncio.run(highest(trial, 25.0, 0.99, 0.1))
    assert 0.8 * capacity <= rate <= capacity
    assert seen is not None
    assert len(trials) < 12


def test_where_nothing_is_kept_no_rate_is_told() -> None:
    async def trial(rate: float) -> Seen:
        return Seen(dropped=1)

    rate, seen, _ = asyncio.run(highest(trial, 25.0, 0.99, 0.1))
    assert (rate, seen) == (0.0, None)
