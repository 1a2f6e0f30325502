"""The fault table counts what ran and what it measured, and nothing else."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from tests.fault_table import Outcomes, Shown, figures, show, verdict
from tests.promises import Promise, bounds

PROMISE = Promise("kill", "retried", bounds("done again ≤ 15 s"))


@pytest.mark.parametrize(
    ("outcomes", "values", "expected"),
    [
        ([], [], "no test yet"),
        (["passed", "passed"], [3.2, 14], "pass (2)"),
        (["passed", "failed"], [3.2], "FAIL (failed)"),
        (["passed", "skipped"], [3.2], "FAIL (skipped)"),
        (["passed"], [], "FAIL (not seen: done again)"),
        (["passed"], [3.2, 16], "FAIL (done again)"),
    ],
)
def test_a_row_holds_when_its_tests_passed_and_its_figures_are_kept(
    outcomes: list[str], values: list[float], expected: str
) -> None:
    assert verdict(PROMISE, Shown(outcomes, {"done again": values} if values else {})) == expected


def test_a_row_that_promises_no_figure_does_not_hold() -> None:
    assert verdict(Promise("kill", "retried", {}), Shown(["passed"])) == "FAIL (promises no figure)"


def test_the_worst_figure_is_told_and_of_how_many() -> None:
    assert figures(PROMISE, Shown(["passed"], {"done again": [3.2, 14, 1]})) == "done again 14 s (of 3)"


def test_the_last_line_counts_the_rows_that_hold() -> None:
    printed = StringIO()
    by_row = {13: Shown(["passed"], {"starts": [1]}), 14: Shown(["failed"])}
    assert not show(by_row, Console(file=printed, width=180))
    assert printed.getvalue().splitlines()[-1] == "1 of 59"


def test_figures_and_outcomes_are_collected_by_row() -> None:
    outcomes = Outcomes()
    for when in ("setup", "call", "teardown"):
        report = pytest.TestReport(
            "t.py::t", ("t.py", 1, "t"), {}, "passed", None, when,
            user_properties=[("fault 2: done again", 3.2)],
        )  # fmt: skip
        outcomes.pytest_runtest_logreport(report)
    assert outcomes.by_row[2].figures == {"done again": [3.2]}
