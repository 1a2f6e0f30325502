"""Tables of the report, as rows of text: HTML for the page, rich for the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from rich.table import Table

from evaluation.metrics.intervals import best_of, centre, estimate
from evaluation.report.figures import FIGURES, Figure, estimate_of, grouped, percent, values_of
from evaluation.report.paper import paper_number
from toyland.score.ledger import Record
from toyland.score.statistics import Estimate


@dataclass(frozen=True)
class Rows:
    """A table before it is drawn."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def to_html(self) -> str:
        """A <table> with its title."""
        head = "".join(f"<th>{escape(cell)}</th>" for cell in self.head)
        body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in self.rows)
        return f"<h3>{escape(self.title)}</h3><table><tr>{head}</tr>{body}</table>"

    def to_markdown(self) -> str:
        """Without its title."""
        lines = (self.head, ("---",) * len(self.head), *self.rows)
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)

    def to_rich(self) -> Table:
        """For the terminal, turned: methods are few, figures many."""
        table = Table(title=self.title, title_justify="left")
        for row in ((self.head[0],), *((row[0],) for row in self.rows)):
            table.add_column(*row, overflow="fold")
        for number, title in enumerate(self.head[1:], 1):
            table.add_row(title, *(row[number] for row in self.rows))
        return table


Methods = Mapping[tuple[str, ...], Sequence[Record]]
"""Records by (method,)."""


def main_table(suite: str, methods: Methods, figures: Sequence[Figure] = FIGURES) -> Rows:
    """Every figure of every method, its interval, and the paper's own number where there is one."""
    estimates = {
        name: {figure.key: estimate_of(records, figure) for figure in figures}
        for (name,), records in methods.items()
    }
    shown = [figure for figure in figures if any(found[figure.key] for found in estimates.values())]
    rows = [
        (name, *(cell(suite, name, figure, found[figure.key]) for figure in shown), count_of(methods, name))
        for name, found in estimates.items()
    ]
    return Rows(suite, ("method", *(figure.title for figure in shown), "items x seeds"), tuple(rows))


def count_of(methods: Methods, name: str) -> str:
    """How many items and seeds a row is about, and how many gave no picture."""
    records = methods[name,]
    items = len({record["item"] for record in records})
    failed = sum(record["failed"] is not None for record in records)
    seeds = sorted(len(found) for found in grouped(records, "item").values())
    uneven = "" if seeds[0] == seeds[-1] else f" to {seeds[-1]}, {len(records)} pictures"
    return f"{items} x {seeds[0]}{uneven}" + (f", {failed} failed" if failed else "")


def cell(suite: str, method: str, figure: Figure, found: Estimate | None) -> str:
    """A value, its interval, the paper's."""
    if found is None:
        return "–"
    text = figure.show(found.value)
    if found.low != found.high:
        text += f" [{figure.show(found.low)}, {figure.show(found.high)}]"
    told = paper_number(suite, method, figure.key)
    return text if told is None else f"{text} (paper: {figure.show(told)})"


def class_table(suite: str, methods: Methods) -> Rows:
    """By subject, who adds it and where: what a base model draws badly nobody adds well. Worst first."""
    found: dict[str, dict[str, tuple[float, float | None]]] = {}
    for (name,), records in methods.items():
        for (subject,), own in grouped(records, "subject").items():
            held = values_of(own, "affordance")
            share = centre(held) if held else None
            added = centre(values_of(own, "inclusion"))
            found.setdefault(subject, {})[name] = (added, share)
    names = [name for (name,) in methods]
    ordered = sorted(found, key=lambda subject: sum(added for added, _ in found[subject].values()))
    rows = [(subject, *(_class_cell(found[subject].get(name)) for name in names)) for subject in ordered]
    return Rows(f"{suite}, by class: included, and at a plausible place", ("subject", *names), tuple(rows))


def _class_cell(found: tuple[float, float | None] | None) -> str:
    if found is None:
        return "–"
    added, share = found
    return percent(added) + ("" if share is None else f" / {percent(share)}")


def relation_table(suite: str, methods: Methods) -> Rows | None:
    """By relation, how often it holds; None for suites that ask for none."""
    kinds = {record["relation"]: None for records in methods.values() for record in records}
    asked = [kind for kind in kinds if kind is not None]
    if not asked:
        return None
    held = next(figure for figure in FIGURES if figure.key == "relation")
    rows = []
    for (name,), records in methods.items():
        own = {kind: [record for record in records if record["relation"] == kind] for kind in asked}
        rows.append((name, *(cell(suite, name, held, estimate_of(own[kind], held)) for kind in asked)))
    return Rows(f"{suite}, relations that hold", ("method", *asked), tuple(rows))


def best_of_table(suite: str, methods: Methods) -> Rows | None:
    """What somebody gets who may choose among N seeds; None where there is but one."""
    rows = [
        (name, figure.title, *(percent(found.value) for found in curve))
        for (name,), records in methods.items()
        for figure in FIGURES
        if figure.best_of and len(curve := best_of_curve(records, figure)) > 1
    ]
    if not rows:
        return None
    most = max(map(len, rows)) - 2
    padded = tuple(row + ("–",) * (most + 2 - len(row)) for row in rows)
    return Rows(
        f"{suite}, best of N", ("method", "figure", *(f"N = {n}" for n in range(1, most + 1))), padded
    )


def best_of_curve(records: Sequence[Record], figure: Figure) -> list[Estimate]:
    """The figure of the best of 1, 2, … seeds, as many as every item has."""
    values = values_of(records, figure.key)
    most = min(map(len, values.values()), default=0)
    return [estimate(best_of(values, tries)) for tries in range(1, most + 1)]
