"""`python -m bench.chain [--chains N]`: ten objects added to one picture, one after the other.

What is left of the pixels that no edit touched: with the scenes library (latents go from edit to edit, strict
background), where each result is saved as PNG and encoded again, and both with the paper's single blend.
Of three seeds the surest is kept; an edit whose subject is not there is thrown away, as a user would.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from bench.figures import Figures
from bench.report import Docs, JsonFile, Processes, pictured, report
from bench.world import open_laboratory, world_module

SHEET = Path("docs/assets/chain.png")


def measure(chains: int, processes: int, sheet: Path) -> Figures:
    """All ways."""
    laboratory = open_laboratory(processes)
    values: dict[str, dict[str, Any]]
    values = world_module("score.chain").measure_chains(laboratory, chains, sheet)
    edits = len(next(iter(values.values()))["psnr"])
    rows = [[f"{edit + 1}", *(after(of, edit) for of in values.values())] for edit in range(edits)]
    rows.append([f"added, of {edits}", *(f"{of['added']:g}" for of in values.values())])
    rows.append([f"seen at the end, of {edits}", *(f"{of['there']:g}" for of in values.values())])
    title = f"PSNR in dB of the pixels that no edit touched, paper-real, {chains} x {edits} edits"
    return Figures(title, ["after edit", *values], rows, values)


def after(way: dict[str, Any], edit: int) -> str:
    """A cell."""
    if way["identical"][edit]:
        return "identical"
    return f"{way['psnr'][edit]:.1f}"


def main(
    chains: Annotated[int, typer.Option(min=1, help="Pictures that are built upon.")] = 1,
    processes: Processes = 1,
    sheet: Annotated[Path, typer.Option(help="Where the first chain's pictures go.")] = SHEET,
    file: JsonFile = Path("bench-results/chain.json"),
    docs: Docs = False,
) -> None:
    """Measure what was not measured before, show it, draw the pictures."""
    shown = partial(pictured, picture=f"assets/{sheet.name}")
    report("chain", measure(chains, processes, sheet), file, docs, shown)


if __name__ == "__main__":
    typer.run(main)
