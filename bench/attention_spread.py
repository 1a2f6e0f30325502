"""`python -m bench.attention_spread`: how the subject's words share their attention, by step and gamma (the
paper's figure 7), on the embedded model and the shipped examples. Needs matplotlib.

Recorded in the single-stream blocks, which are lent the source longest, so that the steps compare.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import matplotlib

matplotlib.use("Agg")

import numpy as np
import typer
from matplotlib import pyplot
from numpy.typing import NDArray
from PIL import Image
from rich.console import Console

from bench.figures import Figures, to_table
from workers.addit.attention_spread import AttentionSpread
from workers.addit.edits import Edit, PictureSource
from workers.addit.models import Models
from workers.addit.pipeline import insert
from workers.models.loading import LoadOptions, load
from workers.models.profiles import embedded_profile

EXAMPLES = Path(__file__).parent.parent / "examples"
GAMMAS = (1.0, 1.05, 1.1, 1.15)
KINDS = ("source", "text", "target")
TITLES = {"source": "source picture", "text": "text", "target": "target picture"}
COLOURS = ("#9ecae1", "#4292c6", "#08519c", "#08306b")
Shares = NDArray[np.float64]
"""(steps, 3): source, text, target."""


def measure_one(models: Models, edit: Edit) -> Shares:
    """The shares at the steps from structure transfer to the last that sees the source."""
    (tokens,) = models.backbone.subject_tokens(edit.source.prompt, edit.prompt, edit.subjects)
    layers = [name for name in models.backbone.layers if name.startswith("single")]
    spread = AttentionSpread(layers, tokens, models.text_len)

    insert(models, edit, watchers=(spread,))
    until, steps = edit.config.extend_single_until, spread.by_step().items()
    return np.array([[each.source, each.text, each.target] for step, each in steps if step <= until])


def edits(examples: int, gamma: float) -> list[Edit]:
    """The shipped examples at the model's native size."""
    profile, listed = embedded_profile(), json.loads((EXAMPLES / "examples.json").read_text())
    side = profile.native_side
    config = replace(profile.presets["paper-real"], extended_scale=gamma)
    chosen = []
    for example in listed[:examples]:
        picture = Image.open(EXAMPLES / example["file"]).convert("RGB").resize((side, side))
        source = PictureSource(np.asarray(picture), example["source_prompt"])
        chosen.append(Edit(source, example["prompt"], (example["subject"],), (example["seed"],), config))
    return chosen


def measure(examples: int) -> tuple[Figures, Mapping[float, Shares]]:
    """Mean shares over steps for each gamma, as a table, and by step, mean of the examples."""
    models = load(embedded_profile(), LoadOptions("cpu"))
    curves = {
        gamma: np.mean([measure_one(models, edit) for edit in edits(examples, gamma)], axis=0)
        for gamma in GAMMAS
    }
    means = {gamma: shares.mean(axis=0) for gamma, shares in curves.items()}
    rows = [
        [f"{gamma:g}", *(f"{share:.3f}" for share in mean), f"{mean[2] / mean[0]:.2f}"]
        for gamma, mean in means.items()
    ]
    columns = ("gamma", *(TITLES[kind] for kind in KINDS), "target / source")
    values = {f"{gamma:g}": dict(zip(KINDS, mean.tolist(), strict=True)) for gamma, mean in means.items()}
    title = f"attention of the subject's words, mean of {examples} insertions"
    return Figures(title, columns, rows, values), curves


def plot(curves: Mapping[float, Shares], first: int, file: Path) -> None:
    """A panel for each of source, text and target, a curve for each gamma; steps count from `first`."""
    figure, axes = pyplot.subplots(1, len(KINDS), figsize=(11, 3.4), sharey=True)
    for panel, kind in enumerate(KINDS):
        for (gamma, shares), colour in zip(curves.items(), COLOURS, strict=True):
            steps = range(first, first + len(shares))
            axes[panel].plot(steps, 100 * shares[:, panel], color=colour, label=f"gamma {gamma:g}")
        _finish(axes[panel], TITLES[kind])
    axes[0].set(ylabel="% of the subject words' attention", ylim=(0, None))
    axes[0].legend(frameon=False)
    figure.tight_layout()
    figure.savefig(file, dpi=100)
    pyplot.close(figure)


def _finish(axes: Any, title: str) -> None:
    axes.set(title=title, xlabel="step")
    axes.grid(axis="y", color="0.92")
    axes.spines[["top", "right"]].set_visible(False)


def main(
    examples: Annotated[int, typer.Option(help="How many of the shipped examples.")] = 8,
    file: Annotated[Path, typer.Option(help="Where the curves go.")] = Path(
        "docs/assets/attention_spread.png"
    ),
) -> None:
    """Measure, print the means, draw the curves."""
    figures, curves = measure(examples)
    Console().print(to_table(figures))
    plot(curves, embedded_profile().presets["paper-real"].structure_transfer_step, file)


if __name__ == "__main__":
    typer.run(main)
