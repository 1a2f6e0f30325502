"""What an engine tells of its stages and steps while it works, for the spans that its supervisor makes.

The engine itself sends no traces: it may be killed at any moment, and it has better to do.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from workers.messages import Lap, Step


class Laps:
    """Collects an attempt's steps, and tells each stage with its steps when it ends."""

    def __init__(self, token: str, tell: Callable[[Lap], None] | None) -> None:
        """tell: None where nobody makes spans of it"""
        self._token, self._tell = token, tell
        self._steps: list[Step] = []  # at times of the clock that stages are measured with

    def step(self, stage: str, number: int, total: int) -> None:
        """A step was done just now."""
        if self._tell is not None:
            self._steps.append(Step(time.perf_counter_ns(), stage, number, total))

    def end(self, stage: str, seconds: float) -> None:
        """A stage that took so long ended just now. It takes the steps that were done within it."""
        if self._tell is None:
            return
        ended, ended_ns = time.perf_counter_ns(), time.time_ns()
        began = ended - round(seconds * 1e9)
        within = (step for step in self._steps if step.at_ns >= began)
        told = tuple(replace(step, at_ns=ended_ns - (ended - step.at_ns)) for step in within)
        self._steps = [step for step in self._steps if step.at_ns < began]
        self._tell(Lap(self._token, stage, ended_ns - (ended - began), ended_ns, told))
