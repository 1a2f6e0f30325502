"""`make faults`: docs/faults.md, with what its tests say now and the figures they saw."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from tests.figures import seen
from tests.promises import Bound, Promise, promises


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
    """Each promised figure with the worst value seen, of how many, and its bound."""
    return "; ".join(_figure(bound, shown.figures.get(name, [])) for name, bound in promise.bounds.items())


def _figure(bound: Bound, values: list[float]) -> str:
    """ "done again 3.21 s of 5 (≤ 15 s)" """
    times = f" of {len(values)}" if len(values) > 1 else ""
    value = f"{bound.said(bound.worst(values))}{times}" if values else "not seen"
    return f"{bound.name} {value} ({bound.relation} {bound.said(bound.limit)})"


def table(by_row: Mapping[int, Shown]) -> tuple[list[str], bool]:
    """A line per row and one with how many hold; whether all do."""
    rows = {row: (promise, by_row.get(row, Shown())) for row, promise in promises().items()}
    verdicts = {row: verdict(*shown) for row, shown in rows.items()}
    width = max(map(len, verdicts.values()))
    lines = [
        f"{row:>2} | {verdicts[row]:<{width}} | {promise.fault}: {promise.text} | {figures(promise, shown)}"
        for row, (promise, shown) in rows.items()
    ]
    held = sum(said.startswith("pass") for said in verdicts.values())
    return [*lines, f"{held} of {len(rows)}"], held == len(rows)


def main() -> int:
    outcomes = Outcomes()
    code = pytest.main(["-m", "fault", "-q", "--no-header", *sys.argv[1:]], plugins=[outcomes])
    lines, all_hold = table(outcomes.by_row)
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return int(code) or int(not all_hold)


if __name__ == "__main__":
    raise SystemExit(main())
