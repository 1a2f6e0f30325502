"""Cells in operators' tables."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from client.cell_column import table_of, with_cell


def words(table: Table) -> list[list[str]]:
    console = Console(width=80)
    with console.capture() as said:
        console.print(table)
    lines = said.get().splitlines()
    return [
        [word for word in line.split() if word.isalnum()] for line in lines if any(map(str.isalnum, line))
    ]


def test_one_store_has_no_column_of_cells() -> None:
    assert words(table_of(("name", "state"), [(None, ["a", "open"])])) == [["name", "state"], ["a", "open"]]
    assert words(table_of(("name",), [])) == [["name"]]


def test_each_row_tells_its_cell_and_one_of_none_has_a_gap() -> None:
    rows = [("one", ["a"]), (None, ["b"]), ("two", ["c"])]
    assert words(table_of(("name",), rows)) == [["name", "cell"], ["a", "one"], ["b"], ["c", "two"]]


def test_a_line_ends_with_its_cell() -> None:
    assert with_cell("a queued", None) == "a queued"
    assert with_cell("a queued", "one") == "a queued one"
