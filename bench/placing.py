"""Whether a subject can be told where to be, in the embedded model's own world: `python -m bench.placing
[--scenes N]`.

Asked for is always the half of the picture where the edit without a region did not put the subject.
"""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bench.figures import Figures, describe_machine, to_table
from workers.models.profiles import embedded_profile

SCENES = 14


def measure(scenes: int = SCENES) -> Figures:
    """Every lever on the first so many two-sided tasks of the world that is named as the model is."""
    world = embedded_profile().name
    workshop = import_module(f"{world}.workshop").Workshop(import_module(f"{world}.__main__").CACHE, 0)
    values = import_module(f"{world}.score.placing").measure_placing(workshop, scenes)
    columns = ["asked by", "seen", "in the asked half", "of those seen", "plausible", "moved there, px"]
    rows = [
        [
            name,
            f"{of['included']:.0%}",
            f"{of['obeys']:.0%}",
            f"{of['obeys'] / of['included']:.0%}" if of["included"] else "-",
            f"{of['holds']:.0%}",
            f"{of['moved']:+.0f}",
        ]
        for name, of in values.items()
    ]
    return Figures(f"Placing, {scenes} scenes, paper-real, 30 steps", columns, rows, values)


def main(
    scenes: Annotated[int, typer.Option(min=1, help="Tasks, each by every lever.")] = SCENES,
    file: Annotated[Path, typer.Option("--json", help="Where the values go.")] = Path(
        "bench-results/placing.json"
    ),
) -> None:
    """Measure, print the table, write the values."""
    console, figures = Console(), measure(scenes)
    console.print(to_table(figures))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"machine": describe_machine(), "placing": figures.values}, indent=1))
    console.print(f"{file}")


if __name__ == "__main__":
    typer.run(main)
