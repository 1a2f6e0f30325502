"""Waiting for a store."""

from __future__ import annotations

import pytest

from job_store.errors import StoreUnavailable
from workers.outage import LONGEST_SECONDS, Backoff, keep_trying


def test_pauses_grow_to_a_bound_and_start_anew() -> None:
    backoff = Backoff()
    pauses = [backoff.next() for _ in range(20)]
    assert pauses[0] < 0.1
    assert LONGEST_SECONDS / 2 <= pauses[-1] <= LONGEST_SECONDS
    backoff.reset()
    assert backoff.next() < 0.1


def test_an_action_is_tried_until_it_works() -> None:
    tries: list[int] = []

    def action() -> None:
        tries.append(len(tries))
        if len(tries) < 3:
            raise StoreUnavailable("away")

    keep_trying(action, StoreUnavailable, 10, meanwhile=lambda: None)
    assert len(tries) == 3


def test_an_outage_that_lasts_is_raised_and_other_errors_are_at_once() -> None:
    def away() -> None:
        raise StoreUnavailable("away")

    def broken() -> None:
        raise KeyError("broken")

    waits: list[None] = []
    with pytest.raises(StoreUnavailable):
        keep_trying(away, StoreUnavailable, 0.1, meanwhile=lambda: waits.append(None))
    assert waits
    with pytest.raises(KeyError):
        keep_trying(broken, StoreUnavailable, 10, meanwhile=lambda: pytest.fail("waited"))
