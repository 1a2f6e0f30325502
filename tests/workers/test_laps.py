"""Every step belongs to the stage it was done in, and nobody is told where nobody asked."""

from __future__ import annotations

import time

from tests.workers.fleet import until
from workers.laps import Laps
from workers.messages import Lap


def test_a_stage_takes_the_steps_done_within_it() -> None:
    told: list[Lap] = []
    laps, began = Laps("token", told.append), time.perf_counter()
    laps.step("source", 1, 3)
    inner = time.perf_counter() + 0.001
    until(lambda: time.perf_counter() > inner + 0.001)
    laps.step("denoise", 2, 3)
    laps.end("localize", 0.0)
    laps.end("denoise", time.perf_counter() - inner)
    laps.end("whole", time.perf_counter() - began + 1)
    localize, denoise, whole = told
    assert [step.number for lap in told for step in lap.steps] == [2, 1]
    assert (localize.steps, denoise.steps[0].stage, whole.steps[0].stage) == ((), "denoise", "source")
    assert whole.began_ns < denoise.began_ns <= denoise.steps[0].at_ns <= denoise.ended_ns <= whole.ended_ns
    assert {lap.token for lap in told} == {"token"}


def test_without_a_listener_nothing_is_kept() -> None:
    laps = Laps("token", None)
    laps.step("denoise", 1, 1)
    laps.end("denoise", 1.0)
    assert laps.__dict__["_steps"] == []
