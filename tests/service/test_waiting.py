"""How long a client wants to wait."""

from __future__ import annotations

import pytest

from service.waiting import preferred_wait


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 0), ("", 0), ("wait=5", 5), ("respond-async, wait=10", 10), ("Wait = 7; x=1", 7),
        ("wait=999", 60), ("wait=-1", 0), ("wait=x", 0), ("await=5", 0), ("wait=5s", 0), ("wait=0", 0),
    ],
)  # fmt: skip
def test_preferred_wait(header: str | None, seconds: int) -> None:
    assert preferred_wait(header) == seconds
