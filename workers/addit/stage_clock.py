"""Seconds per stage of an edit. Stages nest; time counts for the innermost. Others may listen."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

OnLap = Callable[[str, float], None]
"""Called with (stage, seconds since it began) when a stage ends, those within it included."""

_on_lap: ContextVar[OnLap | None] = ContextVar("on_lap", default=None)


@dataclass
class Away:
    """Seconds that passed within stages while others had the model."""

    seconds: float = 0.0


_away: ContextVar[Away | None] = ContextVar("away", default=None)


@contextmanager
def away() -> Iterator[Away]:
    """What is counted on this while the context lasts belongs to no stage."""
    spent = Away()
    token = _away.set(spent)
    try:
        yield spent
    finally:
        _away.reset(token)


def seconds_away() -> float:
    """So far, in the present context."""
    spent = _away.get()
    return spent.seconds if spent is not None else 0.0


@contextmanager
def heard_laps(on_lap: OnLap) -> Iterator[None]:
    """Call `on_lap` at the end of every stage of every clock while the context lasts."""
    token = _on_lap.set(on_lap)
    try:
        yield
    finally:
        _on_lap.reset(token)


class StageClock:
    """`with clock("decode"): …` adds the seconds inside to `seconds["decode"]`, and takes them from the
    stage around. Those that others had the model for are nobody's."""

    def __init__(self, now: Callable[[], float] = time.perf_counter) -> None:
        self.seconds: dict[str, float] = {}
        self._now = now

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        outer, left = sum(self.seconds.values()), seconds_away()
        began = self._now()
        try:
            yield
        finally:
            nested = sum(self.seconds.values()) - outer
            took = self._now() - began
            own = took - (seconds_away() - left) - nested
            self.seconds[stage] = self.seconds.get(stage, 0.0) + own
            on_lap = _on_lap.get()
            if on_lap is not None:
                on_lap(stage, took)
