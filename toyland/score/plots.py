"""Sweeps as curves with their 95 % intervals. Needs matplotlib, which only developers install."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

matplotlib.use("Agg")

from matplotlib import pyplot
from matplotlib.axes import Axes

Value = Mapping[str, Any]
"""One point of a sweep, as `sweeps.to_values` gives it."""

SHARES = {"inclusion": "#1b6ca8", "affordance": "#c8553d", "supported": "#e9a178"}
BACKGROUND = {"background_psnr": "#4c956c"}
NAMED = ("schedule", "blending", "localizer")
"""Sweeps whose points have no order: marks without a curve, shares beside one another."""
TITLES = {
    "gamma": "weight of the target's own keys, gamma",
    "schedule": "weights along the steps",
    "guidance": "the target's guidance",
    "structure": "structure transfer step (of 30)",
    "blending": "blend step (of 30)",
    "localizer": "localizer",
}


def plot_sweep(values: Sequence[Value], file: Path) -> None:
    """One sweep: a column for each preset, shares above and the background below."""
    presets = list(dict.fromkeys(value["preset"] for value in values))
    size = (5.2 * len(presets), 6.0)
    figure, axes = pyplot.subplots(
        2, len(presets), figsize=size, squeeze=False, sharex="col", sharey="row", height_ratios=(2, 1)
    )
    for column, preset in enumerate(presets):
        points = [value for value in values if value["preset"] == preset]
        _draw(axes[0, column], points, SHARES, 100)
        _draw(axes[1, column], points, BACKGROUND, 1)
        axes[0, column].set(title=preset, ylim=(0, 100))
        axes[1, column].set(xlabel=TITLES[points[0]["sweep"]])
    axes[0, 0].set_ylabel("% of scenes")
    axes[1, 0].set_ylabel("background PSNR, dB")
    axes[0, 0].legend(frameon=False)
    figure.tight_layout()
    figure.savefig(file, dpi=100)
    pyplot.close(figure)


def _draw(axes: Axes, points: Sequence[Value], curves: Mapping[str, str], scale: float) -> None:
    """The points in their order; a grey line marks the setting that is served."""
    places, named = range(len(points)), points[0]["sweep"] in NAMED
    for number, (name, colour) in enumerate(curves.items()):
        known = [(at, *point[name]) for at, point in zip(places, points, strict=True) if name in point]
        if not known:
            continue
        at, *values = np.array(known).T
        value, low, high = (scale * each for each in values)
        if named:
            beside = at + 0.15 * (number - (len(curves) - 1) / 2)
            reach = np.stack([value - low, high - value]).clip(0)
            axes.errorbar(beside, value, reach, color=colour, fmt="o", markersize=4, label=name)
        else:
            axes.plot(at, value, color=colour, marker="o", markersize=3, label=name)
            axes.fill_between(at, low, high, color=colour, alpha=0.12)
    for place, point in zip(places, points, strict=True):
        if point["served"]:
            axes.axvline(place, color="0.8", zorder=0)
    names = [point["point"].removesuffix("_sam").replace("attention_", "") for point in points]
    long = max(map(len, names)) > 6
    axes.set_xticks(list(places), names, rotation=30 if long else 0, ha="right" if long else "center")
    axes.grid(axis="y", color="0.92")
    axes.spines[["top", "right"]].set_visible(False)
