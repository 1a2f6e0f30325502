"""What tunings published: every setting with its score, and what methods reach that keep the background."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluation.report.tables import Rows

OURS = "addit"
NEAR = 3.0
"""dB that a background may lie below that of Add-it's chosen setting and still count as kept: twice its
squared error."""


@dataclass(frozen=True)
class Grid:
    """points: `settings`, `score`, `background` (PSNR in dB) and whether it was `chosen`"""

    method: str
    about: str
    model: str
    points: Sequence[Mapping[str, Any]]

    @property
    def chosen(self) -> Mapping[str, Any]:
        """The point whose score is best."""
        return next(point for point in self.points if point["chosen"])


def published(folder: Path) -> list[Grid]:
    """All grids below a folder of results, by name."""
    files = sorted((folder / "tuned").glob("*.json"))
    told = [(file.stem, json.loads(file.read_text(encoding="utf-8"))) for file in files]
    return [Grid(name, each["about"], each["model"], each["points"]) for name, each in told]


def grid_table(grids: Sequence[Grid]) -> Rows:
    """A row for each method: the knobs, and every setting with its score, the chosen one in bold."""
    head = ("method", "knobs", "settings: score, background PSNR in dB")
    return Rows("", head, tuple((grid.method, *_cells(grid.points)) for grid in grids))


def at_our_background(grids: Sequence[Grid]) -> str | None:
    """What every method scores at best whose background is kept about as well as Add-it keeps it."""
    ours = next((grid.chosen for grid in grids if grid.method == OURS), None)
    if ours is None:
        return None
    least = ours["background"] - NEAR
    return (
        f"Best scores among the settings whose background is at most {NEAR:g} dB worse than that of Add-it's "
        f"({ours['background']:.1f} dB): {', '.join(_best_above(grid, least) for grid in grids)}."
    )


def _best_above(grid: Grid, least: float) -> str:
    scores = [point["score"] for point in grid.points if point["background"] >= least]
    return f"{grid.method} {max(scores):.2f}" if scores else f"{grid.method} has none"


def _cells(points: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """The knobs that were turned, and the points."""
    flat = [dict(_flat(point["settings"])) for point in points]
    turned = [name for name in flat[0] if len({str(each[name]) for each in flat}) > 1]
    knobs = [name for name in turned if not name.startswith("generated.")]  # those of pictures say the same
    told = [" / ".join(str(each[name]) for name in knobs) for each in flat]
    shown = [_point(text, point) for text, point in zip(told, points, strict=True)]
    return " / ".join(name.removeprefix("real.") for name in knobs), "; ".join(shown)


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in settings.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _point(told: str, point: Mapping[str, Any]) -> str:
    text = f"{told}: {point['score']:.2f}, {point['background']:.1f}"
    return f"**{text}**" if point["chosen"] else text
