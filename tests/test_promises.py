"""The table of promises can be read, and says of a value whether it keeps them."""

from __future__ import annotations

import re

import pytest

from tests.promises import TABLE, Bound, bounds, promises

TESTS = "\n".join(path.read_text() for path in sorted((TABLE.parents[1] / "tests").rglob("*.py")))


def test_every_promise_has_its_row() -> None:
    assert list(promises()) == list(range(1, 60))


@pytest.mark.parametrize("row", range(1, 60))
def test_every_row_has_a_test_that_reports_each_figure_it_names(row: int) -> None:
    assert promises()[row].bounds
    marked = {word for rows in re.findall(r"mark\.fault\(([\d, ]+)\)", TESTS) for word in rows.split(", ")}
    assert str(row) in marked
    assert [name for name in promises()[row].bounds if f'{row}, "{name}"' not in TESTS] == []


def test_figures_are_read_with_their_bounds() -> None:
    assert bounds("done again ≤ 15 s; commits = 1") == {
        "done again": Bound("done again", "≤", 15, "s"),
        "commits": Bound("commits", "=", 1, ""),
    }
    assert bounds("") == {}


@pytest.mark.parametrize("text", ["soon", "done ≤ soon", "≤ 3 s", "a = 1; a = 2"])
def test_what_is_no_figure_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a figure"):
        bounds(text)


@pytest.mark.parametrize(
    ("text", "kept", "broken"), [("a ≤ 2 s", 2, 2.1), ("a ≥ 2 s", 2, 1.9), ("a = 2 s", 2, 3)]
)
def test_a_bound_tells_kept_from_broken_and_finds_the_worst(text: str, kept: float, broken: float) -> None:
    bound = bounds(text)["a"]
    assert (bound.holds(kept), bound.holds(broken)) == (True, False)
    assert bound.worst([kept, broken, kept]) == broken
    assert str(bound) == text


def test_a_value_is_said_with_its_unit() -> None:
    assert (Bound("a", "≤", 15, "s").said(3.214), Bound("b", "=", 5000, "").said(5000)) == ("3.21 s", "5,000")
