"""Two subjects in one pass against one after the other: `python -m bench.subjects [--scenes N]`.

In the embedded model's own world: shares of subjects that are there (detector) and where they may be
(affordance, by half their area), share of scenes with both, transformer forwards.
"""

from pathlib import Path
from typing import Annotated

import typer

from bench.figures import Figures
from bench.report import Docs, JsonFile, Scenes, report
from bench.world import open_workshop, world_module
from workers.overlays import contact_sheet


def measure(scenes: int, sheet: Path | None) -> Figures:
    """Both ways on the first so many scenes of the world that is named as the model is.

    sheet: where a sheet with a row for each scene goes: source, together, one by one
    """
    pairs = world_module("score.pairs")
    measured = pairs.measure_pairs(open_workshop(), scenes)
    if sheet is not None:
        contact_sheet(pairs.sheet(measured), columns=3, side=256).save(sheet)
    values = {way: pairs.summary([outcomes[way] for *_, outcomes in measured]) for way in pairs.WAYS}
    rows = [
        [way, f"{of['included']:.0%}", f"{of['holds']:.0%}", f"{of['both']:.0%}", f"{of['forwards']:.1f}"]
        for way, of in values.items()
    ]
    columns = ["two subjects", "included", "affordance", "both there", "forwards"]
    return Figures(f"Two subjects, {scenes} scenes, paper-real, strict background", columns, rows, values)


def main(
    scenes: Scenes = 8,
    sheet: Annotated[Path | None, typer.Option(help="Save the pictures, a row for each scene.")] = None,
    file: JsonFile = Path("bench-results/subjects.json"),
    docs: Docs = False,
) -> None:
    """Measure and show."""
    report("subjects", measure(scenes, sheet), file, docs)


if __name__ == "__main__":
    typer.run(main)
