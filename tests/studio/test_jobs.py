"""What a job's events make of what is known of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api_schemas.events import JobEvent
from api_schemas.jobs import InsertionJob
from client.async_client import AsyncAddit
from client.errors import Unreachable
from studio.jobs import Moment, after, follow, looked_at
from tests.studio.samples import AT, job


def event(kind: str, **data: object) -> JobEvent:
    return JobEvent.model_validate({"id": "1", "type": kind, "at": AT, "data": data})


def test_a_job_goes_from_the_queue_through_its_steps_to_its_end() -> None:
    waiting = Moment("ins_1", position=3)
    started = after(waiting, event("started"))
    assert (started.status, started.position) == ("running", None)
    stepped = after(started, event("progress", stage="denoise", step=3, total=26, percent=11.5))
    assert (stepped.stage, stepped.step, stepped.total, stepped.percent) == ("denoise", 3, 26, 11.5)
    assert after(after(stepped, event("dropped", seed=7)), event("dropped", seed=9)).dropped == {7, 9}
    assert after(stepped, event("completed", status="canceled")).status == "canceled"


@given(st.lists(st.integers(0, 7)))
def test_the_latest_preview_of_each_seed_is_kept(indices: list[int]) -> None:
    moment = Moment("ins_1")
    for number, index in enumerate(indices):
        shown = {"number": number, "index": index, "seed": index, "step": number, "url": f"/{number}"}
        moment = after(moment, event("preview", **shown))
    latest = {index: f"/{number}" for number, index in enumerate(indices)}
    assert {index: preview.url for index, preview in moment.previews.items()} == latest


def test_a_place_in_the_queue_is_known_only_while_a_job_waits() -> None:
    queue = {"position": 2, "eta_seconds": {"p50": 3, "p90": 9}}
    waiting = looked_at(Moment("ins_1"), job(status="queued", queue=queue))
    assert waiting.position == 2
    assert waiting.eta is not None
    assert looked_at(Moment("ins_1"), job(status="running", queue=queue)).position is None


class Service:
    """A job of many steps, told as fast as it is listened to; then its end, or a broken line."""

    def __init__(self, steps: int, breaks: bool = False) -> None:
        self.steps, self.breaks = steps, breaks

    async def events(self, job_id: str) -> AsyncIterator[JobEvent]:
        for step in range(1, self.steps + 1):
            yield event("progress", stage="denoise", step=step, total=self.steps, percent=1)
        if self.breaks:
            raise Unreachable("gone")
        yield event("completed", status="succeeded")

    async def job(self, job_id: str) -> InsertionJob:
        return job(status="running")


async def followed(service: Service, pause: float) -> list[Moment]:
    found = []
    async for moment in follow(cast(AsyncAddit, service), "ins_1"):
        found.append(moment)
        await asyncio.sleep(pause)
    return found


def test_who_is_slow_is_told_the_latest_and_never_the_backlog() -> None:
    found = asyncio.run(followed(Service(500), 0.01))
    assert len(found) < 50
    assert (found[-1].status, found[-1].step) == ("succeeded", 500)
    assert [one.step for one in found] == sorted(one.step for one in found)


def test_a_line_that_breaks_for_good_is_told() -> None:
    with pytest.raises(Unreachable):
        asyncio.run(followed(Service(3, breaks=True), 0))
