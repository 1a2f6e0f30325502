"""One visit's job, and the Stop that may come before it."""

from __future__ import annotations

import asyncio
from typing import cast

from client.async_client import AsyncAddit
from studio.running import Running
from tests.studio.samples import job


class Service:
    """Writes down what is to be canceled."""

    def __init__(self) -> None:
        self.canceled: list[str] = []

    async def cancel(self, job_id: str) -> None:
        self.canceled.append(job_id)


async def lived(*steps: str) -> tuple[Running, list[str]]:
    service, running, submitted = Service(), Running(), job(status="queued")
    addit = cast(AsyncAddit, service)
    for step in steps:
        match step:
            case "begin":
                running.begin()
            case "stop":
                await running.stop(addit)
            case "submitted":
                await running.submitted(addit, submitted)
            case "end":
                running.end()
    return running, service.canceled


def test_a_stop_before_the_service_has_the_job_stops_it_once_it_has() -> None:
    assert asyncio.run(lived("begin", "stop", "submitted"))[1] == ["ins_1"]


def test_a_stop_afterwards_stops_it_at_once() -> None:
    assert asyncio.run(lived("begin", "submitted", "stop"))[1] == ["ins_1"]


def test_a_stop_of_the_job_before_is_not_the_next_ones() -> None:
    running, canceled = asyncio.run(lived("begin", "stop", "submitted", "end", "begin", "submitted"))
    assert canceled == ["ins_1"]
    assert (running.job_id, running.seeds) == ("ins_1", (1,))


def test_without_a_job_nothing_is_stopped() -> None:
    running, canceled = asyncio.run(lived("begin", "submitted", "end", "stop"))
    assert canceled == []
    assert (running.job_id, running.seeds) == ("", ())
