"""The price of each mode in the embedded model's own world: `python -m bench.modes [--scenes N]`.

Share of subjects that are there (detector) and where they may be (affordance, by half their area), distance
from the exact picture, passes that ran to the last block, seconds.
"""

from __future__ import annotations

from importlib import import_module
from typing import Annotated

import typer
from rich.console import Console

from bench.figures import Figures, to_table
from workers.models.profiles import embedded_profile

SCENES = 3


def measure(scenes: int = SCENES) -> Figures:
    """Every mode on the first so many tasks of the world that is named as the model is."""
    world = embedded_profile().name
    workshop = import_module(f"{world}.workshop").Workshop(import_module(f"{world}.__main__").CACHE, 0)
    values = import_module(f"{world}.score.modes").measure_modes(workshop, scenes)
    columns = ["mode", "included", "affordance", "PSNR dB", "passes", "seconds"]
    rows = [
        [mode, f"{of['included']:.0%}", f"{of['holds']:.0%}", f"{of['psnr']:.1f}", f"{of['passes']:.1f}"]
        + [f"{of['seconds']:.2f}"]
        for mode, of in values.items()
    ]
    return Figures(f"Modes, {scenes} scenes, paper-real, 30 steps", columns, rows, values)


def main(
    scenes: Annotated[int, typer.Option(min=1, help="Tasks, each in every mode.")] = SCENES,
) -> None:
    """Measure and print."""
    Console().print(to_table(measure(scenes)))


if __name__ == "__main__":
    typer.run(main)
