"""The figures by which a test shows a promise of docs/faults.md: held against their bounds, and kept."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

import pytest

from tests.promises import promises

Figure = Callable[[int, str, float], None]
_PROPERTY = re.compile(r"fault (\d+): (.+)")


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Figure:
    """`figure(2, "done again", seconds)`: row, name and value; the bound stands in docs/faults.md alone.

    Within its bound or not, the value goes to the test's output and properties, where `make faults` finds it.
    KeyError: the row promises no figure of that name. AssertionError: the bound is broken.
    """

    def see(row: int, name: str, value: float) -> None:
        bound = promises()[row].bounds[name]
        record_property(f"fault {row}: {name}", value)
        print(f"fault {row}: {name} {bound.said(value)}")  # noqa: T201
        assert bound.holds(value), f"row {row} promises {bound}, seen {bound.said(value)}"

    return see


def seen(properties: Iterable[tuple[str, object]]) -> Iterator[tuple[int, str, float]]:
    """Row, name and value of the figures among a test report's properties."""
    for key, value in properties:
        match = _PROPERTY.fullmatch(key)
        if match and isinstance(value, (int, float)):
            yield int(match[1]), match[2], value
