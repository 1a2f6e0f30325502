"""`python -m bench.dropping [--scenes N]`: whether the seeds that `keep_best` would finish are right.

Tasks of the embedded model's world, some seeds each, all finished. What every seed promised at the blend is
compared with the verdict on its picture; a random choice and a perfect one stand beside it.
"""

from __future__ import annotations

from pathlib import Path

import typer

from bench.figures import Figures
from bench.report import Docs, JsonFile, Scenes, report
from bench.world import open_workshop, world_module


def measure(scenes: int) -> Figures:
    """By the first so many tasks of the world that is named as the model is."""
    dropping = world_module("score.dropping")
    values = dropping.measure_dropping(open_workshop(), scenes)
    columns = ("ranked_right", "best_one", "best_two")
    rows = [
        [name, *(f"{of[column]:.2f}" if column in of else "" for column in columns)]
        for name, of in values.items()
    ]
    title = f"Seeds kept at the blend, {scenes} scenes, {dropping.SEEDS} seeds each"
    heads = ["by", "pairs ranked right", "one kept: added", "two kept: one added"]
    return Figures(title, heads, rows, values)


def main(
    scenes: Scenes = 16, file: JsonFile = Path("bench-results/dropping.json"), docs: Docs = False
) -> None:
    """Measure and show."""
    report("dropping", measure(scenes), file, docs)


if __name__ == "__main__":
    typer.run(main)
