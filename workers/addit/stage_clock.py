"""Seconds per stage of an edit. Stages nest; time counts for the innermost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class StageClock:
    """`with clock("decode"): …` adds the seconds inside to `seconds["decode"]`, and takes them from the
    stage around."""

    def __init__(self, now: Callable[[], float] = time.perf_counter) -> None:
        self.seconds: dict[str, float] = {}
        self._now = now

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        outer = sum(self.seconds.values())
        began = self._now()
        try:
            yield
        finally:
            nested = sum(self.seconds.values()) - outer
            self.seconds[stage] = self.seconds.get(stage, 0.0) + self._now() - began - nested
