"""Operators' tables tell whose each row is, where a service has several cells."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

Row = tuple[str | None, Sequence[str]]
"""A cell, and what else is in the row."""


def table_of(columns: Sequence[str], rows: Sequence[Row]) -> Table:
    """Cells last, where any row has one."""
    several = any(cell is not None for cell, _ in rows)
    table = Table(*columns, *(["cell"] if several else []))
    for cell, row in rows:
        table.add_row(*row, *([cell or ""] if several else []))
    return table


def with_cell(line: str, cell: str | None) -> str:
    """The same at the end of a line."""
    return line if cell is None else f"{line} {cell}"
