"""docs/faults.md, read: what every row promises, and the bounds its figures keep."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

TABLE = Path(__file__).parent.parent / "docs" / "faults.md"
_ROW = re.compile(r"^\| (\d+) \| (.+?) \| (.+?) \| (.*?) ?\|$", re.MULTILINE)
_BOUND = re.compile(r"(?P<name>[^≤≥=]+) (?P<relation>[≤≥=]) (?P<limit>\d+(?:\.\d+)?)(?: (?P<unit>\S+))?")
_RELATIONS: dict[str, Callable[[float, float], bool]] = {"≤": operator.le, "≥": operator.ge, "=": operator.eq}


@dataclass(frozen=True)
class Bound:
    """A figure's name, what it may be, and the word behind the number ("s", "MB"; none for a count)."""

    name: str
    relation: str
    limit: float
    unit: str

    def holds(self, value: float) -> bool:
        return _RELATIONS[self.relation](value, self.limit)

    def worst(self, values: list[float]) -> float:
        """Of at least one value the one nearest to breaking the bound, or farthest beyond it."""
        if self.relation == "=":
            return max(values, key=lambda value: abs(value - self.limit))
        return max(values) if self.relation == "≤" else min(values)

    def said(self, value: float) -> str:
        """A value of this figure as people read it: "3.21 s"."""
        number = f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"
        return f"{number} {self.unit}".rstrip()

    def __str__(self) -> str:
        return f"{self.name} {self.relation} {self.limit:g} {self.unit}".rstrip()


@dataclass(frozen=True)
class Promise:
    """A row: the fault, what is promised, and the figures that show it, by name."""

    fault: str
    text: str
    bounds: Mapping[str, Bound]


def bounds(text: str) -> dict[str, Bound]:
    """Reads "done again ≤ 15 s; commits = 1". ValueError: not of that form, or a name twice."""
    read: dict[str, Bound] = {}
    for part in filter(None, text.split("; ")):
        match = _BOUND.fullmatch(part)
        if match is None or match["name"] in read:
            raise ValueError(f"not a figure with its bound, or said twice: {part!r}")
        read[match["name"]] = Bound(
            match["name"], match["relation"], float(match["limit"]), match["unit"] or ""
        )
    return read


@cache
def promises() -> dict[int, Promise]:
    """Row -> promise, in the table's order."""
    return {
        int(row): Promise(fault, text, bounds(figures))
        for row, fault, text, figures in _ROW.findall(TABLE.read_text())
    }
