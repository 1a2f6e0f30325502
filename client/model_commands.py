"""`addit models pull`, `addit verify` and `addit bench tune`: for whoever runs a worker, on its
machine and with its packages.

What loads torch is imported when a command runs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from client.terminal import console
from runtime.settings import Settings

if TYPE_CHECKING:
    from workers.models.batch_costs import BatchCosts
    from workers.models.pulling import Pulled
    from workers.verify.steps import Outcome

models = typer.Typer(no_args_is_help=True, help="Model files on this machine.")
bench = typer.Typer(no_args_is_help=True, help="Measurements on this machine that engines go by.")
STYLES = {"passed": "green", "failed": "red", "not run": "yellow"}


@models.callback()
def about() -> None:
    """Model files on this machine."""


@models.command()
def pull(
    name: Annotated[str, typer.Argument(help="A name of docs/models.md.")],
    mirror: Annotated[
        Path | None,
        typer.Option(exists=True, file_okay=False, help="A folder of owner/name/… instead of the hub."),
    ] = None,
    sums: Annotated[bool, typer.Option(help="List every file with its checksum.")] = True,
) -> None:
    """Fetch exactly the files a model is loaded from, and check them; go on where an earlier pull ended.

    HF_TOKEN opens gated repositories, HF_ENDPOINT names a mirror, HF_HOME where files go.
    """
    from huggingface_hub.constants import HF_HUB_CACHE

    from workers.choices import load_options
    from workers.models import folder_place, hub_place
    from workers.models.errors import ModelError
    from workers.models.profiles import find_profile
    from workers.models.pulling import pull as pull_files

    settings, cache = Settings(), Path(HF_HUB_CACHE)
    place = folder_place.Folder(mirror, cache) if mirror else hub_place.Hub(cache)
    try:
        profile = find_profile(name)
        segmenter = load_options(settings).segmenter or profile.segmenter
        profile = replace(profile, segmenter=segmenter)
        pulled = pull_files(profile, place, cache, settings.accept_licences, console.print)
    except ModelError as error:
        console.print(str(error), style="red", markup=False)
        raise typer.Exit(1) from None
    if sums:
        console.print(_sums(pulled))
    checked = sum(bool(file.sum) for file in pulled)
    console.print(
        f"{name} is here: {len(pulled)} files, {checked} checked. Next: addit verify --model {name}"
    )


def _sums(pulled: Iterable[Pulled]) -> Table:
    table = Table("repository", "file", "bytes", "SHA-256, or git's name of small files")
    for file in pulled:
        table.add_row(file.repository, file.path, str(file.size), file.sum or "none known")
    return table


@bench.callback()
def about_bench() -> None:
    """Measurements on this machine that engines go by."""


@bench.command()
def tune(
    model: Annotated[str | None, typer.Option(help="In place of ADDIT_MODEL.")] = None,
    repeats: Annotated[int, typer.Option(min=1, help="Of every pass; their median counts.")] = 5,
) -> None:
    """Measure what passes of 1, 2, 4 and 8 rows cost here, and keep it where this machine's engines look.

    Run it with the settings of the worker and the machine otherwise idle; engines read it when they start.
    """
    from workers.insertion import load_runner
    from workers.models.batch_costs import Bench
    from workers.models.errors import ModelError
    from workers.verify.tuning import tune as measure

    settings = Settings() if model is None else Settings(model=model)
    try:
        runner = load_runner(settings)
    except ModelError as error:
        console.print(str(error), style="red", markup=False)
        raise typer.Exit(1) from None
    costs = measure(runner.models, runner.profile, repeats)
    console.print(_costs(costs))
    console.print(f"{costs.keep(Bench.of(runner.models), Path(settings.batch_folder))}")


def _costs(costs: BatchCosts) -> Table:
    """Seconds, and each row's beside one alone."""
    rows = sorted({rows for by_rows in costs.seconds.values() for rows in by_rows})
    table = Table("image tokens", *(f"{each} rows" for each in rows), title="Seconds of a pass; of each row")
    for tokens, by_rows in costs.seconds.items():
        shares = (
            f"{by_rows[each]:.3f} ({by_rows[each] / each / by_rows[1]:.2f})" if each in by_rows else "no room"
            for each in rows
        )
        table.add_row(str(tokens), *shares)
    return table


def verify(
    model: Annotated[str | None, typer.Option(help="In place of ADDIT_MODEL.")] = None,
    file: Annotated[Path, typer.Option("--json", help="Where the report goes for programs.")] = Path(
        "addit-verify.json"
    ),
) -> None:
    """Try a model on this machine, step by step, and say what to do where a step fails."""
    from workers.models.errors import ModelError
    from workers.verify.report import verify as run

    settings = Settings() if model is None else Settings(model=model)
    outcomes = []
    try:
        for outcome in run(settings):
            _show(outcome)
            outcomes.append(outcome)
    except ModelError as error:
        console.print(str(error), style="red", markup=False)
        raise typer.Exit(1) from None
    _write(file, settings.model, outcomes)
    counts = {state: sum(each.state == state for each in outcomes) for state in STYLES}
    console.print(f"{', '.join(f'{count} {state}' for state, count in counts.items())}. {file}")
    raise typer.Exit(1 if counts["failed"] else 0)


def _show(outcome: Outcome) -> None:
    console.print(f"{outcome.state:8}", style=STYLES[outcome.state], end="")
    console.print(f"{outcome.step}: {outcome.found.summary}", markup=False)
    if outcome.next_step:
        console.print(f"        → {outcome.next_step}", markup=False)
    if outcome.found.table:
        header, *rows = outcome.found.table
        table = Table(*header)
        for row in rows:
            table.add_row(*map(str, row))
        console.print(table)


def _write(file: Path, model: str, outcomes: Iterable[Outcome]) -> None:
    steps = [asdict(outcome) for outcome in outcomes]
    file.write_text(json.dumps({"model": model, "steps": steps}, indent=1))
