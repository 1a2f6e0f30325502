"""Figures for people, as a table, and for programs, as one object."""

from collections.abc import Sequence
from dataclasses import asdict

from rich.table import Table

from toyland.score.figures import Figure
from toyland.score.versions import Versions


def to_table(figures: Sequence[Figure], title: str) -> Table:
    """One row for each figure; those that miss what was wanted are marked."""
    table = Table(title=title, title_justify="left")
    for column in ("figure", "value", "95 %", "items", "wanted"):
        table.add_column(column, no_wrap=True, overflow="fold")
    for figure in figures:
        estimate, target = figure.estimate, figure.target
        interval = f"{show(estimate.low, figure)} .. {show(estimate.high, figure)}"
        wanted = "" if target is None else f"{'<=' if target.at_most else '>='} {show(target.bound, figure)}"
        style = None if target is None or target.met_by(estimate.value) else "red"
        value = show(estimate.value, figure)
        table.add_row(figure.name, value, interval, str(estimate.count), wanted, style=style)
    return table


def show(value: float, figure: Figure) -> str:
    """A value of the figure's kind, in its unit."""
    match figure.unit:
        case "%":
            return f"{100 * value:.1f} %"
        case "":
            return f"{value:.3f}"
        case unit:
            return f"{value:.1f} {unit}"


def to_object(figures: Sequence[Figure], versions: Versions, load: float) -> dict[str, object]:
    """Every figure by its name; their intervals and counts; what was measured; how busy the machine was."""
    return {
        **{figure.name: round(figure.estimate.value, 4) for figure in figures},
        "intervals": {
            figure.name: [round(figure.estimate.low, 4), round(figure.estimate.high, 4)] for figure in figures
        },
        "counts": {figure.name: figure.estimate.count for figure in figures},
        "wanted": {figure.name: figure.target.bound for figure in figures if figure.target},
        "versions": asdict(versions),
        "load_before": round(load, 2),
    }
