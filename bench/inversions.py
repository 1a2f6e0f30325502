"""`python -m bench.inversions [--scenes N]`: the inversions of a real source, compared on the embedded model.

Reconstruction: from the inverted latents at the structure transfer back down by the model's own Euler steps.
(In an edit the latents are replayed instead, so the source always comes back.) Naturalness: the noise that
those latents imply; that of noising is standard normal by construction and shows what chance does.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import typer

from bench.figures import Figures, with_interval
from bench.report import Docs, JsonFile, Processes, Scenes, report
from bench.world import open_laboratory, world_module

COLUMNS = {
    "reconstruction_psnr": "back again, dB",
    "noise_mean": "noise: abs. mean",
    "noise_std": "std",
    "noise_kurtosis": "excess kurtosis",
    "noise_neighbours": "neighbours' correlation",
    "inclusion": "inclusion, %",
    "affordance": "affordance, %",
    "background_psnr": "background, dB",
    "forwards": "forwards",
}


def measure(scenes: int, processes: int) -> Figures:
    """Every inversion over the same scenes."""
    laboratory = open_laboratory(processes)
    values = world_module("score.inversions").measure_inversions(laboratory, scenes)
    rows = [[way, *(shown(name, each) for name in COLUMNS)] for way, each in values.items()]
    title = f"Inversions, paper-real, {scenes} scenes (95 % intervals in brackets)"
    return Figures(title, ["inversion", *COLUMNS.values()], rows, values)


def shown(name: str, values: Mapping[str, list[float]]) -> str:
    """A cell."""
    if name not in values:
        return ""
    if name in ("inclusion", "affordance"):
        return with_interval(values[name], scale=100)
    return f"{values[name][0]:.{3 if name.startswith('noise') else 1}f}"


def main(
    scenes: Scenes = 64,
    processes: Processes = 1,
    file: JsonFile = Path("bench-results/inversions.json"),
    docs: Docs = False,
) -> None:
    """Measure what was not measured before, and show it."""
    report("inversions", measure(scenes, processes), file, docs)


if __name__ == "__main__":
    typer.run(main)
