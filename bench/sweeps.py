"""`python -m bench.sweeps [sweep …]`: tables of what the world's sweeps measured, for docs/method.md."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from bench.figures import Figures, to_markdown, with_interval
from bench.report import Docs, report
from workers.models.profiles import embedded_profile

COLUMNS = {"inclusion": "inclusion, %", "affordance": "affordance, %", "background_psnr": "background, dB"}
DOCS = Path(__file__).parent.parent / "docs"


def measured() -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """Every sweep's points."""
    values: Mapping[str, Sequence[Mapping[str, Any]]]
    values = json.loads((DOCS / f"{embedded_profile().name}_sweeps.json").read_text())
    return values


def tabulate(sweep: str, points: Sequence[Mapping[str, Any]]) -> Figures:
    """A row for each point; the served one in bold."""
    rows = []
    for point in points:
        name = f"**{point['point']}**" if point["served"] else point["point"]
        cells = (cell(column, point) for column in (*COLUMNS, "forwards"))
        rows.append([point["preset"], name, *cells])
    scenes = ", ".join(dict.fromkeys(str(point.get("scenes", "?")) for point in points))
    title = f"Sweep of {sweep}, {scenes} scenes (95 % intervals in brackets, what is served in bold)"
    return Figures(title, ["preset", sweep, *COLUMNS.values(), "forwards"], rows, {sweep: points})


def plotted(sweep: str, figures: Figures) -> str:
    """The plot, and the table folded away under it."""
    plot = f"assets/{embedded_profile().name}/sweep_{sweep}.png"
    table = f"<details><summary>table</summary>\n\n{to_markdown(figures)}\n\n</details>"
    return f"![sweep of {sweep}]({plot})\n\n{table}"


def cell(column: str, point: Mapping[str, Any]) -> str:
    """A value with its interval; forwards without."""
    if column not in point:
        return ""
    if column == "forwards":
        return f"{point[column][0]:.1f}"
    shares = column in ("inclusion", "affordance")
    return with_interval(point[column], scale=100 if shares else 1, digits=0 if shares else 1)


def main(
    sweeps: Annotated[list[str] | None, typer.Argument(help="All that were measured if none.")] = None,
    folder: Annotated[Path, typer.Option(help="Where the values go.")] = Path("bench-results"),
    docs: Docs = False,
) -> None:
    """Show them."""
    known = measured()
    unknown = set(sweeps or ()) - set(known)
    if unknown:
        raise typer.BadParameter(f"not measured: {', '.join(sorted(unknown))}")
    for sweep in sweeps or known:
        figures, file = tabulate(sweep, known[sweep]), folder / f"sweep-{sweep}.json"
        report(f"sweep-{sweep}", figures, file, docs, partial(plotted, sweep))


if __name__ == "__main__":
    typer.run(main)
