"""docs/toyland.md: what the shipped models give for the first of the fixed tasks, and where they fail."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from toyland.score.commands import PRESETS
from toyland.score.drawings import DrawingJob
from toyland.score.figures import Figure
from toyland.score.insertions import InsertionJob
from toyland.score.ledger import Ledger, Record
from toyland.score.made import Made, load_made
from toyland.score.scoring import Score
from toyland.score.sheets import outlined, save_sheet
from toyland.score.table import show
from workers.addit.localizers import Picture

DRAWN, ADDED, FAILED = 24, 12, 12
COLUMNS = 8
ASSETS = "assets/toyland"

Kept = Callable[[str], Made]
"""What was made under a key."""


def write_gallery(score: Score, ledger: Ledger, made: Path, figures: Sequence[Figure], docs: Path) -> None:
    """The page and its sheets, of what was measured so far; the plots and pictures that other commands left
    in its folder."""
    assets = docs / ASSETS

    def kept(key: str) -> Made:
        return load_made(made / f"{key}.npz")

    def measured(job: DrawingJob | InsertionJob) -> bool:
        return job.key in ledger and (made / f"{job.made_key}.npz").exists()

    drawings = [job for job in score.drawings if measured(job)]
    insertions = [job for job in score.insertions if measured(job)]
    counts = [f"{len(drawings)} of {len(score.drawings)} sentences"]
    counts += [f"{len(insertions)} of {len(score.insertions)} insertions"]
    parts = [HEAD.format(measured=" and ".join(counts)), *pictures_section(assets, WORLD)]
    parts += [figure_table(figures), *([DRAWINGS_HEAD] if drawings else [])]
    one, two = ([job for job in drawings if job.task.subset == subset] for subset in ("one", "two"))
    parts += drawing_section(one[:DRAWN], ledger, kept, assets / "drawings.png", first_of(one, DRAWN))
    parts += drawing_section(
        two[:DRAWN], ledger, kept, assets / "drawings_two.png", f"Two things. {first_of(two, DRAWN)}"
    )
    missed = [job for job in one if not placed_well(ledger[job.key])]
    parts += drawing_section(
        missed[:DRAWN],
        ledger,
        kept,
        assets / "drawings_missed.png",
        f"Missed or misplaced. {first_of(missed, DRAWN)}",
    )
    for preset in PRESETS:
        jobs = [job for job in insertions if job.preset == preset]
        if jobs:
            parts += [INSERTIONS_HEAD.format(preset=preset)]
        file = assets / f"{preset}.png"
        parts += insertion_section(jobs[:ADDED], ledger, kept, file, first_of(jobs, ADDED))
        failed = [job for job in jobs if not added_well(ledger[job.key])]
        parts += insertion_section(
            failed[:FAILED],
            ledger,
            kept,
            assets / f"{preset}_failed.png",
            f"Failures. {first_of(failed, FAILED)}",
        )
    parts += [*plots_section(assets), *pictures_section(assets, CURVES)]
    (docs / "toyland.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def first_of(jobs: Sequence[object], most: int) -> str:
    """How many of the measured are shown."""
    return f"The first {most} of {len(jobs)} measured" if len(jobs) > most else f"All {len(jobs)} measured"


HEAD = """# Toyland, looked at

Written by `python -m toyland gallery` from the shipped weights. Nothing here is picked by its looks: sheets
show the fixed tasks of `python -m toyland score` in their order, then those that failed. A green frame: the
detector found the thing at a plausible place; red: it did not. How the models were made:
[model card](../workers/models/toyland/README.md). Measured so far: {measured}."""
WORLD = {
    "world.png": """## The world
What the models learn from, as drawn (`python -m toyland world`): a column for each scene."""
}
CURVES = {
    "curves.png": """## Trainings
Loss against minutes, a panel for each run (`python -m toyland curves`)."""
}
DRAWINGS_HEAD = "## Sentences drawn\nGuidance 3.5, 30 steps, one noise seed each."
INSERTIONS_HEAD = """## Subjects added: `{preset}`
Source and result, side by side; one noise seed each, settings as served."""


def figure_table(figures: Sequence[Figure]) -> str:
    """All figures, as Markdown."""
    lines = ["## Figures", "", "| figure | value | 95 % | items | wanted |", "|---|---|---|---|---|"]
    for figure in figures:
        estimate, target = figure.estimate, figure.target
        interval = f"{show(estimate.low, figure)} .. {show(estimate.high, figure)}"
        wanted = "" if target is None else f"{'≤' if target.at_most else '≥'} {show(target.bound, figure)}"
        value = show(estimate.value, figure)
        lines.append(f"| `{figure.name}` | {value} | {interval} | {estimate.count} | {wanted} |")
    return "\n".join(lines)


def drawing_section(
    jobs: Sequence[DrawingJob], ledger: Ledger, kept: Kept, file: Path, title: str
) -> list[str]:
    """A sheet of drawings, and the sentences they belong to."""
    if not jobs:
        return []
    pictures = [outlined(kept(job.made_key).picture, not placed_well(ledger[job.key])) for job in jobs]
    save_sheet(pictures, COLUMNS, file)
    return [section(title, file, [job.task.caption for job in jobs])]


def insertion_section(
    jobs: Sequence[InsertionJob], ledger: Ledger, kept: Kept, file: Path, title: str
) -> list[str]:
    """A sheet of pairs, four in a row, and what was added to what."""
    if not jobs:
        return []
    pictures = list[Picture]()
    for job in jobs:
        made = kept(job.made_key)
        assert made.source is not None
        pictures += [made.source, outlined(made.picture, not added_well(ledger[job.key]))]
    save_sheet(pictures, COLUMNS, file)
    return [section(title, file, [f"{job.task.source_prompt} + {job.task.subject}" for job in jobs])]


def placed_well(record: Record) -> bool:
    """Whether a drawing shows everything it names, its subject at a plausible place."""
    return all(record["present"].values()) and bool(record["holds"])


def added_well(record: Record) -> bool:
    """Whether a subject was added, at a plausible place."""
    return bool(record["included"] and record["holds"])


def section(title: str, file: Path, lines: Sequence[str]) -> str:
    """A heading, a sheet, and what its pictures are, in their order."""
    return f"### {title}\n![{title}]({ASSETS}/{file.name})\n\n" + "; ".join(lines) + "."


def pictures_section(assets: Path, pictures: Mapping[str, str]) -> list[str]:
    """Pictures that are there, each under its text."""
    return [
        f"{text}\n\n![{name}]({ASSETS}/{name})" for name, text in pictures.items() if (assets / name).exists()
    ]


def plots_section(assets: Path) -> list[str]:
    """The sweeps, where there are any."""
    plots = sorted(assets.glob("sweep_*.png"))
    if not plots:
        return []
    shown = (f"![{plot.stem}]({ASSETS}/{plot.name})" for plot in plots)
    text = (
        "## Sweeps\nOne seed a scene; bands and bars are 95 % intervals, the grey line is what is served. "
        "Tables and how many scenes: [method](method.md)."
    )
    return [text, *shown]
