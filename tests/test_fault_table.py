"""The fault table counts what ran and what it measured, and nothing else."""

from __future__ import annotations

import pytest

from tests.fault_table import Outcomes, Shown, figures, table, verdict
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


def test_the_worst_figure_is_told_of_how_many_and_with_its_bound() -> None:
    seen = Shown(["passed"], {"done again": [3.2, 14, 1]})
    assert figures(PROMISE, seen) == "done again 14 s of 3 (≤ 15 s)"
    assert figures(PROMISE, Shown()) == "done again not seen (≤ 15 s)"


def test_a_row_takes_a_line_and_the_last_counts_those_that_hold() -> None:
    lines, all_hold = table({13: Shown(["passed"], {"starts": [1]}), 14: Shown(["failed"])})
    assert (len(lines), lines[-1], all_hold) == (60, "1 of 59", False)
    assert lines[12].startswith("13 | pass (1) ")
    assert lines[12].endswith(" | duplicate delivery: run once | starts 1 (= 1)")


def test_figures_and_outcomes_are_collected_by_row() -> None:
    outcomes = Outcomes()
    for when in ("setup", "call", "teardown"):
        report = pytest.TestReport(
            "t.py::t", ("t.py", 1, "t"), {}, "passed", None, when,
            user_properties=[("fault 2: done again", 3.2)],
        )  # fmt: skip
        outcomes.pytest_runtest_logreport(report)
    assert outcomes.by_row[2].figures == {"done again": [3.2]}
