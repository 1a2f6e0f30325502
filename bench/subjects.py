"""Two subjects in one pass against one after the other: `python -m bench.subjects [--scenes N]`.

In the embedded model's own world: shares of subjects that are there (detector) and where they may be
(affordance, by half their area), share of scenes with both, transformer forwards.
"""

from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bench.figures import Figures, to_table
from workers.models.profiles import embedded_profile
from workers.overlays import contact_sheet

SCENES = 8


def measure(scenes: int, file: Path | None) -> Figures:
    """Both ways on the first so many scenes of the world that is named as the model is.

    file: where a sheet with a row for each scene goes: source, together, one by one
    """
    world = embedded_profile().name
    workshop = import_module(f"{world}.workshop").Workshop(import_module(f"{world}.__main__").CACHE, 0)
    pairs = import_module(f"{world}.score.pairs")
    measured = pairs.measure_pairs(workshop, scenes)
    if file is not None:
        contact_sheet(pairs.sheet(measured), columns=3, side=256).save(file)
    values = {way: pairs.summary([outcomes[way] for *_, outcomes in measured]) for way in pairs.WAYS}
    rows = [
        [way, f"{of['included']:.0%}", f"{of['holds']:.0%}", f"{of['both']:.0%}", f"{of['forwards']:.1f}"]
        for way, of in values.items()
    ]
    columns = ["two subjects", "included", "affordance", "both there", "forwards"]
    return Figures(f"Two subjects, {scenes} scenes, paper-real, strict background", columns, rows, values)


def main(
    scenes: Annotated[int, typer.Option(min=1, help="Scenes, each done both ways.")] = SCENES,
    file: Annotated[Path | None, typer.Option(help="Save the pictures, a row for each scene.")] = None,
) -> None:
    """Measure and print."""
    Console().print(to_table(measure(scenes, file)))


if __name__ == "__main__":
    typer.run(main)
