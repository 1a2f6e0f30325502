"""Waiting for a store that is away: bounded, growing, jittered pauses."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from redis.exceptions import RedisError

from job_store.errors import StoreUnavailable

OUTAGES = (StoreUnavailable, RedisError)  # ours, and what comes straight from RQ
FIRST_SECONDS = 0.05
LONGEST_SECONDS = 2.0
Value = TypeVar("Value")


class Backoff:
    """Pauses that double from 50 ms to 2 s, each between half and all of its length."""

    def __init__(self) -> None:
        self._seconds = FIRST_SECONDS

    def next(self) -> float:
        """Seconds to wait now."""
        seconds = self._seconds * random.uniform(0.5, 1.0)  # nosec B311 # jitter
        self._seconds = min(2 * self._seconds, LONGEST_SECONDS)
        return seconds

    def reset(self) -> None:
        """The store is back."""
        self._seconds = FIRST_SECONDS


def keep_trying(
    action: Callable[[], Value], outage: type[Exception], seconds: float, meanwhile: Callable[[], None]
) -> Value:
    """Do it, again after every `outage` for up to `seconds`; then the last one is raised. What it gives."""
    ends_at, backoff = time.monotonic() + seconds, Backoff()
    while True:
        try:
            return action()
        except outage:
            if time.monotonic() > ends_at:
                raise
        meanwhile()
        time.sleep(backoff.next())
