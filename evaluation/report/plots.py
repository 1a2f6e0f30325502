"""Curves as pictures inside the page: the paper's two sweeps, and best of N."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from evaluation.report.figures import FIGURES, estimate_of
from evaluation.report.tables import Methods, best_of_curve
from toyland.score.ledger import Record
from toyland.score.plots import plot_sweep

SWEEPS = ("gamma", "structure")
"""The paper's two."""
SWEPT: Mapping[str, str] = {
    "inclusion": "inclusion",
    "affordance": "affordance",
    "background_error": "background_psnr",
}
"""A figure's key, and the name that `toyland.score.plots` draws it by."""


def sweep_plots(methods: Methods) -> dict[str, str]:
    """By sweep, a picture as a data URL; sweeps without two points have none."""
    found = {}
    for sweep in SWEEPS:
        picture = sweep_picture(sweep, methods)
        if picture is not None:
            found[sweep] = data_url(picture, "image/png")
    return found


def sweep_picture(sweep: str, methods: Methods) -> bytes | None:
    """A PNG; None of fewer than two points."""
    ours = {name: records for (name,), records in methods.items() if point_of(sweep, name) is not None}
    ordered = sorted(ours, key=lambda name: point_of(sweep, name) or 0.0)
    points = [_point(sweep, name, ours[name]) for name in ordered]
    return _drawn(points) if len(points) > 1 else None


def point_of(sweep: str, name: str) -> float | None:
    """Where a method stands on the sweep's axis; None for those of no or another one."""
    prefix = f"addit-{sweep}-"
    return float(name.removeprefix(prefix)) if name.startswith(prefix) else None


def _point(sweep: str, name: str, records: Sequence[Record]) -> dict[str, Any]:
    point: dict[str, Any] = {
        "sweep": sweep,
        "preset": "Add-it",
        "point": name.removeprefix(f"addit-{sweep}-"),
        "served": False,
    }
    for figure in FIGURES:
        found = estimate_of(records, figure) if figure.key in SWEPT else None
        if found is not None:
            point[SWEPT[figure.key]] = [found.value, found.low, found.high]
    return point


def _drawn(points: Sequence[Mapping[str, Any]]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sweep.png"
        plot_sweep(points, file)
        return file.read_bytes()


def best_of_plot(methods: Methods) -> str | None:
    """Curves of the best of N seeds; None where there is but one."""
    from matplotlib import pyplot  # needs what only developers install, as the plots of sweeps do

    shown = [figure for figure in FIGURES if figure.best_of]
    curves = {
        (name, figure.key): curve
        for (name,), records in methods.items()
        for figure in shown
        if len(curve := best_of_curve(records, figure)) > 1
    }
    if not curves:
        return None
    drawn = [figure for figure in shown if any(key == figure.key for _, key in curves)]
    picture, axes = pyplot.subplots(1, len(drawn), figsize=(4.6 * len(drawn), 3.4), squeeze=False)
    for axis, figure in zip(axes[0], drawn, strict=True):
        for (name, key), curve in curves.items():
            if key == figure.key:
                tries = range(1, len(curve) + 1)
                axis.plot(tries, [100 * found.value for found in curve], marker="o", label=name)
        axis.set(title=figure.title, xlabel="seeds to choose from", ylabel="%", ylim=(0, 101))
    axes[0, 0].legend(frameon=False, fontsize=7)
    picture.tight_layout()
    stream = BytesIO()
    picture.savefig(stream, format="png", dpi=90)
    pyplot.close(picture)
    return data_url(stream.getvalue(), "image/png")


def data_url(content: bytes, kind: str) -> str:
    """A file inside a page."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
