"""The report: one HTML file that needs nothing beside it."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from html import escape
from importlib.metadata import version
from pathlib import Path

from evaluation.report.figures import grouped, newest
from evaluation.report.findings import findings
from evaluation.report.gallery import gallery
from evaluation.report.grids import Grid, published
from evaluation.report.plots import best_of_plot, sweep_plots
from evaluation.report.tables import Methods, best_of_table, class_table, main_table, relation_table
from toyland.score.ledger import Ledger, Record

PACKAGES = ("torch", "diffusers", "transformers", "numpy", "pillow")
STYLE = """
body { font: 14px/1.45 system-ui; margin: 2rem auto; max-width: 100rem; padding: 0 1rem }
table { border-collapse: collapse; display: block; overflow-x: auto; margin-bottom: 1.5rem }
th, td { border: 1px solid #ddd; padding: .25rem .5rem; text-align: left; vertical-align: top }
th { background: #f4f4f4 }
.cases { display: flex; flex-wrap: wrap; gap: .75rem }
figure { margin: 0; width: 390px; border-top: 3px solid #3caa5a } figure.bad { border-color: #dc1e1e }
figure img { width: 192px; margin-right: 2px } figcaption { font-size: 12px; color: #555 }
pre { background: #f4f4f4; padding: .5rem; overflow-x: auto; white-space: pre-wrap }
"""
NOTE = """Values in brackets are 95 % intervals of a bootstrap over items and seeds. The paper's numbers stand
in parentheses: they were measured on other data and, in the suites of Toyland, on another model. Costs are of
one picture with everything loaded; peak memory on a CPU is that of the whole process so far."""


def write_report(folder: Path, file: Path, command: str) -> None:
    """From the records and tunings of a folder; `command` is how to get it again."""
    records = newest(Ledger(folder / "records.jsonl").records())
    parts = [_head(command), *(_suite(key, own, folder) for key, own in _suites(records).items())]
    parts += [_tunings(folder)]
    body = "\n".join(parts)
    page = f"<!doctype html><meta charset='utf-8'><title>Evaluation</title><style>{STYLE}</style>{body}\n"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(page, encoding="utf-8")


def versions() -> str:
    """What it all ran on."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return f"Python {platform.python_version()}, {packages}, {platform.machine()}"


def _suites(records: Sequence[Record]) -> dict[tuple[str, ...], list[Record]]:
    return grouped(records, "suite", "model")


def _head(command: str) -> str:
    told = f"{command}\n\n{versions()}"
    return f"<h1>Evaluation</h1><p>{NOTE}</p><pre>{escape(told)}</pre>"


def _suite(key: tuple[str, ...], records: Sequence[Record], folder: Path) -> str:
    suite, model = key
    methods: Methods = grouped(records, "method")
    judges = sorted({record["judges"] for record in records})
    tables = [main_table(suite, methods), relation_table(suite, methods), best_of_table(suite, methods)]
    parts = [f"<h2>{escape(suite)} on {escape(model)}</h2><p>Judges: {escape('; '.join(judges))}</p>"]
    parts += [table.to_html() for table in tables if table is not None]
    parts += [f"<p>{escape(said)}</p>" for said in findings(methods)]
    parts += [_plot(f"Sweep of {sweep}", url) for sweep, url in sweep_plots(methods).items()]
    best = best_of_plot(methods)
    parts += [] if best is None else [_plot("Best of N", best)]
    parts += [_folded("By class", class_table(suite, methods).to_html())]
    shown = "".join(gallery(name, own, folder / "made") for (name,), own in methods.items())
    parts += [_folded("Gallery, the worst first", shown), _folded("Settings", _settings(methods))]
    return "\n".join(parts)


def _plot(title: str, url: str) -> str:
    return f"<h3>{escape(title)}</h3><img alt='{escape(title)}' src='{url}'>"


def _folded(title: str, content: str) -> str:
    return f"<details><summary>{escape(title)}</summary>{content}</details>"


def _settings(methods: Methods) -> str:
    lines = [f"{name}: {json.dumps(records[-1]['settings'])}" for (name,), records in methods.items()]
    return f"<pre>{escape(chr(10).join(lines))}</pre>"


def _tunings(folder: Path) -> str:
    """Every grid that was tried, whole: nobody's settings were found in secret."""
    tables = [
        f"<h3>{escape(grid.method)} ({escape(grid.about)})</h3>{_points(grid)}" for grid in published(folder)
    ]
    return f"<h2>Tuning</h2>{''.join(tables)}" if tables else ""


def _points(grid: Grid) -> str:
    rows = "".join(
        f"<tr><td>{'→' if point['chosen'] else ''}</td><td>{escape(json.dumps(point['settings']))}</td>"
        f"<td>{point['score']:.3f}</td><td>{point['background']:.1f}</td></tr>"
        for point in grid.points
    )
    head = "<tr><th></th><th>settings</th><th>score</th><th>background PSNR, dB</th></tr>"
    return f"<table>{head}{rows}</table>"
