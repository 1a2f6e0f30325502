"""`make faults`: docs/faults.md, with what its tests say now and the figures they saw."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from rich.console import Console
from rich.table import Table

from tests.figures import seen
from tests.promises import Promise, promises


@dataclass
class Shown:
    """What the tests of one row came to: their outcomes, and the values of each figure by its name."""

    outcomes: list[str] = field(default_factory=list)
    figures: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))


class Outcomes:
    """A pytest plugin: outcome and figures of every test, by fault rows."""

    def __init__(self) -> None:
        self.by_row: dict[int, Shown] = defaultdict(Shown)
        self._rows: dict[str, set[int]] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            self._rows[item.nodeid] = {row for mark in item.iter_markers("fault") for row in mark.args}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or report.outcome != "passed":
            for row in self._rows.get(report.nodeid, ()):
                self.by_row[row].outcomes.append(report.outcome)
        if report.when == "teardown":  # it repeats the properties of the test's other phases
            for row, name, value in seen(report.user_properties):
                self.by_row[row].figures[name].append(value)


def verdict(promise: Promise, shown: Shown) -> str:
    """A row holds when all of its tests passed and every figure it promises was seen inside its bound."""
    if not shown.outcomes:
        return "no test yet"
    for outcome in ("failed", "skipped"):
        if outcome in shown.outcomes:
            return f"FAIL ({outcome})"
    if not promise.bounds:
        return "FAIL (promises no figure)"
    for name, bound in promise.bounds.items():
        if name not in shown.figures:
            return f"FAIL (not seen: {name})"
        if not bound.holds(bound.worst(shown.figures[name])):
            return f"FAIL ({name})"
    return f"pass ({len(shown.outcomes)})"


def figures(promise: Promise, shown: Shown) -> str:
    """The worst value seen of each promised figure, and of how many: "done again 3.21 s (of 5)"."""
    lines = []
    for name, bound in promise.bounds.items():
        if values := shown.figures.get(name):
            times = f" (of {len(values)})" if len(values) > 1 else ""
            lines.append(f"{name} {bound.said(bound.worst(values))}{times}")
    return "\n".join(lines)


def show(by_row: Mapping[int, Shown], console: Console) -> bool:
    """Prints the table; whether every row holds."""
    table = Table("#", "fault or input", "promise", "bounds", "seen", "tests", show_lines=True)
    held = 0
    for row, promise in promises().items():
        shown = by_row.get(row, Shown())
        said = verdict(promise, shown)
        held += said.startswith("pass")
        bounds = "\n".join(map(str, promise.bounds.values()))
        table.add_row(str(row), promise.fault, promise.text, bounds, figures(promise, shown), said)
    console.print(table)
    console.print(f"{held} of {len(promises())}")
    return held == len(promises())


def main() -> int:
    outcomes = Outcomes()
    code = pytest.main(["-m", "fault", "-q", "--no-header", *sys.argv[1:]], plugins=[outcomes])
    return int(code) or int(not show(outcomes.by_row, Console(width=180)))


if __name__ == "__main__":
    raise SystemExit(main())
