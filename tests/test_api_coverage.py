"""docs/api-coverage.md: every line of the contract has a test that is there, or says that it is not built."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROWS = [
    line.split(" | ")
    for line in (ROOT / "docs" / "api-coverage.md").read_text().splitlines()
    if line.startswith("| ") and not line.startswith("| line ")
]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


@cache
def names_in(file: str) -> frozenset[str]:
    """Names of a file's tests."""
    tree = ast.parse((ROOT / file).read_text())
    found = (node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(node.name for node in found)


def test_every_line_is_shown_or_said_not_to_be_built() -> None:
    bare = [row[0] for row in ROWS if not NAMED.findall(row[-1]) and "**not built**" not in row[0]]
    assert bare == []
    assert len(ROWS) > 80


def test_every_test_that_is_named_is_there() -> None:
    named = {found for row in ROWS for found in NAMED.findall(row[-1])}
    assert [f"{file}::{name}" for file, name in sorted(named) if name not in names_in(file)] == []
