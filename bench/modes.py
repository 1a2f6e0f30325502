"""The price of each mode in the embedded model's own world: `python -m bench.modes [--scenes N]`.

Share of subjects that are there (detector) and where they may be (affordance, by half their area), distance
from the exact picture, passes that ran to the last block, seconds.
"""

from __future__ import annotations

from pathlib import Path

import typer

from bench.figures import Figures
from bench.report import Docs, JsonFile, Processes, Scenes, report
from bench.world import open_laboratory, world_module


def measure(scenes: int, processes: int) -> Figures:
    """Every mode on the first so many tasks of the world that is named as the model is."""
    values = world_module("score.modes").measure_modes(open_laboratory(processes), scenes)
    columns = ["mode", "included", "affordance", "PSNR dB", "passes", "seconds"]
    rows = [
        [mode, f"{of['included']:.0%}", f"{of['holds']:.0%}", f"{of['psnr']:.1f}", f"{of['passes']:.1f}"]
        + [f"{of['seconds']:.2f}"]
        for mode, of in values.items()
    ]
    return Figures(f"Modes, {scenes} scenes, paper-real, 30 steps", columns, rows, values)


def main(
    scenes: Scenes = 32,
    processes: Processes = 1,
    file: JsonFile = Path("bench-results/modes.json"),
    docs: Docs = False,
) -> None:
    """Measure what was not measured before, and show it."""
    report("modes", measure(scenes, processes), file, docs)


if __name__ == "__main__":
    typer.run(main)
