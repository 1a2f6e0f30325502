"""`make faults`: docs/faults.md, with what its tests say now."""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table

TABLE = Path(__file__).parent.parent / "docs" / "faults.md"


class Outcomes:
    """A pytest plugin: the outcome of every test, by the fault rows it is marked with."""

    def __init__(self) -> None:
        self.by_row: dict[int, list[str]] = defaultdict(list)
        self._rows: dict[str, set[int]] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            self._rows[item.nodeid] = {row for mark in item.iter_markers("fault") for row in mark.args}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or report.outcome != "passed":
            for row in self._rows.get(report.nodeid, ()):
                self.by_row[row].append(report.outcome)


def promises() -> dict[int, tuple[str, str]]:
    """Row -> fault, promise."""
    lines = re.findall(r"^\| (\d+) \| (.+?) \| (.+?) \|$", TABLE.read_text(), re.MULTILINE)
    return {int(row): (fault, promise) for row, fault, promise in lines}


def verdict(outcomes: list[str]) -> str:
    """A row holds when at least one test of it ran and none failed."""
    if "failed" in outcomes:
        return "FAIL"
    if "passed" in outcomes:
        return f"pass ({outcomes.count('passed')})"
    return "no test yet" if not outcomes else "skipped"


def show(by_row: Mapping[int, list[str]], console: Console) -> None:
    rows = promises()
    verdicts = {row: verdict(by_row.get(row, [])) for row in rows}
    table = Table("#", "fault or input", "promise", "tests")
    for row, (fault, promise) in rows.items():
        table.add_row(str(row), fault, promise, verdicts[row])
    console.print(table)
    console.print(f"{sum(text.startswith('pass') for text in verdicts.values())} of {len(rows)}")


def main() -> int:
    outcomes = Outcomes()
    code = pytest.main(["-m", "fault", "-q", "--no-header", *sys.argv[1:]], plugins=[outcomes])
    show(outcomes.by_row, Console(width=140))
    return int(code)


if __name__ == "__main__":
    raise SystemExit(main())
