"""Whether a subject can be told where to be, in the embedded model's own world: `python -m bench.placing
[--scenes N]`.

Asked for is always the half of the picture where the edit without a region did not put the subject.
"""

from __future__ import annotations

from pathlib import Path

import typer

from bench.figures import Figures
from bench.report import Docs, JsonFile, Scenes, report
from bench.world import open_workshop, world_module


def measure(scenes: int) -> Figures:
    """Every lever on the first so many two-sided tasks of the world that is named as the model is."""
    values = world_module("score.placing").measure_placing(open_workshop(), scenes)
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
    scenes: Scenes = 14, file: JsonFile = Path("bench-results/placing.json"), docs: Docs = False
) -> None:
    """Measure and show."""
    report("placing", measure(scenes), file, docs)


if __name__ == "__main__":
    typer.run(main)
