"""`python -m bench.localization [--scenes N]`: which localizer and attention maps find the subject best.

Against drawn things whose pixels are known; every scene is run once and located in every way. `columns` is
the mean of the image->subject probabilities, `reference` the reference implementation's sum.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from bench.figures import Figures, with_interval
from bench.report import Docs, JsonFile, Processes, Scenes, report
from bench.world import open_laboratory, world_module


def measure(scenes: int, processes: int) -> Figures:
    """Mean agreement over so many scenes, the best first."""
    laboratory = open_laboratory(processes)
    values = world_module("score.localization").measure_localization(laboratory, scenes)
    ordered = sorted(values.items(), key=lambda item: -item[1]["iou"][0])
    rows = [
        [name, with_interval(each["iou"], digits=3), f"{each['missed']}", gain(each)]
        for name, each in ordered
    ]
    columns = ["localizer, maps", "mean IoU", "missed", "columns - reference; better / worse in"]
    title = f"Mask against the drawn thing, {scenes} scenes (95 % intervals in brackets)"
    return Figures(title, columns, rows, values)


def gain(each: Mapping[str, Any]) -> str:
    """What the columns gain over the reference's maps, scene by scene."""
    if "gain" not in each:
        return ""
    better, worse = each["wins"]
    return f"{with_interval(each['gain'], digits=3)}; {better} / {worse}"


def main(
    scenes: Scenes = 200,
    processes: Processes = 1,
    file: JsonFile = Path("bench-results/localization.json"),
    docs: Docs = False,
) -> None:
    """Measure what was not measured before, and show it."""
    report("localization", measure(scenes, processes), file, docs)


if __name__ == "__main__":
    typer.run(main)
