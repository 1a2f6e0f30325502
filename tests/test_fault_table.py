"""The fault table counts what ran, and nothing else."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from tests.fault_table import promises, show, verdict


def test_every_promise_has_its_row() -> None:
    assert list(promises()) == list(range(1, 60))


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([], "no test yet"),
        (["skipped"], "skipped"),
        (["passed", "passed"], "pass (2)"),
        (["passed", "failed"], "FAIL"),
    ],
)
def test_a_row_holds_when_a_test_passed_and_none_failed(outcomes: list[str], expected: str) -> None:
    assert verdict(outcomes) == expected


def test_the_last_line_counts_the_rows_that_hold() -> None:
    printed = StringIO()
    show({1: ["passed"], 2: ["failed"], 3: ["skipped"]}, Console(file=printed, width=140))
    assert printed.getvalue().splitlines()[-1] == "1 of 59"
