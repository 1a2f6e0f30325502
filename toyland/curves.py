"""Loss curves of the trainings, one panel a stage."""

import json
from pathlib import Path

from matplotlib.figure import Figure

COLUMNS = 4


def curves_figure(runs: Path) -> Figure:
    """Every stage's `losses.jsonl` below `runs`: the loss, logarithmic, against minutes, and as points what
    it is on held-out pictures."""
    curves = {path.parent.name: _read(path) for path in sorted(runs.glob("*/losses.jsonl"))}
    rows = -(-len(curves) // COLUMNS)
    figure = Figure(figsize=(3.2 * COLUMNS, 2.4 * rows), layout="constrained")
    panels = figure.subplots(rows, COLUMNS, squeeze=False).flatten()
    for panel, (stage, lines) in zip(panels, curves.items(), strict=False):
        panel.plot(*_points(lines, "loss"), linewidth=1)
        panel.plot(*_points(lines, "held_out"), "o", markersize=3)
        panel.set(title=stage, xlabel="minutes", yscale="log")
        panel.grid(alpha=0.3, which="both")
    for panel in panels[len(curves) :]:
        panel.set_visible(False)
    return figure


def draw_curves(runs: Path, file: Path) -> None:
    """Write the figure. Raises `ValueError` where no run has left a curve."""
    if not any(runs.glob("*/losses.jsonl")):
        raise ValueError(f"no losses.jsonl below {runs}")
    file.parent.mkdir(parents=True, exist_ok=True)
    curves_figure(runs).savefig(file, dpi=80)


def _read(file: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def _points(lines: list[dict[str, float]], name: str) -> tuple[list[float], list[float]]:
    """Minutes and values of the lines that have the name."""
    told = [line for line in lines if name in line]
    return [line["seconds"] / 60 for line in told], [line[name] for line in told]
