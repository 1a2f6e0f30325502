"""When a call is worth another try: no answer, or a plea for patience. All calls are safe to repeat."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypedDict

import httpx
from tenacity import RetryCallState, retry_if_exception, stop_after_attempt, wait_exponential_jitter
from tenacity.retry import retry_base
from tenacity.stop import stop_base

from client.errors import ApiError

ATTEMPTS = 5
LONGEST_WAIT = 30.0  # seconds; a service that asks for more is not waited for
_PASSING = {429, 503}
_backoff = wait_exponential_jitter(multiplier=0.2, max=5, jitter=0.2)


def worth_another(error: BaseException) -> bool:
    """Whether the next try may go better."""
    if isinstance(error, ApiError):
        patient = error.retry_after is None or error.retry_after <= LONGEST_WAIT
        lasting = error.code == "no_worker" or (error.code == "quota_exceeded" and error.retry_after is None)
        return error.problem.status in _PASSING and not lasting and patient
    return isinstance(error, httpx.TransportError)


def _pause(state: RetryCallState) -> float:
    """Seconds: what the service asked for, else growing with jitter."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after if isinstance(error, ApiError) else None
    return asked if asked is not None else _backoff(state)


class Policy(TypedDict):
    """What tenacity's Retrying and AsyncRetrying take."""

    retry: retry_base
    stop: stop_base
    wait: Callable[[RetryCallState], float]
    reraise: bool


POLICY = Policy(
    retry=retry_if_exception(worth_another), stop=stop_after_attempt(ATTEMPTS), wait=_pause, reraise=True
)
