"""The gateway's load test in small: a real stack, few calls, every job accounted for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator

import pytest
import uvloop

from bench.gateway.__main__ import BAD, Plan, to_figures
from bench.gateway.caller import Caller, calling
from bench.gateway.clients import clients
from bench.gateway.journeys import insertions
from bench.gateway.outcome import COLUMNS, Outcome
from bench.gateway.queued import queued
from bench.gateway.rates import polls, submits
from bench.gateway.streams import streams
from bench.gateway.webhooks import webhooks
from bench.stack import Bed, Counts, balance, timed_stack

WORKERS = 2


@pytest.fixture(scope="module")
def bed() -> Iterator[Bed]:
    with timed_stack(WORKERS) as bed:
        yield bed


PARTS: dict[str, Callable[[Caller], Awaitable[list[Outcome]]]] = {
    "submits": lambda caller: submits(caller, WORKERS, 1.0, first=4.0, most=8.0, limit=60.0),
    "polls": lambda caller: polls(caller, WORKERS, 1.0, first=4.0, most=8.0, limit=60.0),
    "insertions": lambda caller: insertions(caller, 2.0),
    "webhooks": lambda caller: webhooks(caller, 2.0, rate=4.0),
    "streams": lambda caller: streams(caller, 40),
    "clients": lambda caller: clients(caller, 4.0, users=3),
    "queued": lambda caller: queued(caller, WORKERS, 40, seconds=1.0),
}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("part", PARTS)
def test_a_part_runs_and_every_job_is_accounted_for(bed: Bed, part: str) -> None:
    async def run() -> list[Outcome]:
        async with calling(bed) as caller:
            return await PARTS[part](caller)

    found = uvloop.run(run())
    assert found
    for outcome in found:
        assert outcome.seconds.count > 0, outcome
        assert outcome.dropped == 0, outcome
        assert 0 <= outcome.seconds.percentile(0.5) <= outcome.seconds.most, outcome
        assert not [bad for bad in BAD if outcome.more.get(bad)], outcome
        assert len(outcome.row()) == len(COLUMNS)
    if part == "streams":
        assert found[0].more["lives"] == {"ok": 40}
    if part == "clients":
        assert {one.what for one in found if one.what.startswith("journey")} == {
            f"journey: submit, {way}" for way in ("follow, fetch", "poll", "webhook")
        }
    assert to_figures(part, found, Plan()).rows
    assert bed.at_rest()


def test_lost_and_doubled_jobs_are_seen() -> None:
    before = Counts(10, 8)
    assert balance(before, Counts(13, 11), 3) == balance(Counts(0, 0), Counts(3, 3), 3)
    assert balance(before, Counts(13, 10), 3).lost == 1
    assert balance(before, Counts(14, 12), 3).doubled == 1
