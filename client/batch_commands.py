"""`addit batch`: many insertions in one go, on a terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api_schemas.batches import Batch
from client.terminal import HERE, ApiKey, Url, console, service

batch = typer.Typer(no_args_is_help=True, help="Batches: JSONL of insertions at bulk priority.")
BatchId = Annotated[str, typer.Argument(help="bat_….")]


@batch.command()
def submit(
    lines: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="JSONL, an insertion a line.")],
    url: Url = HERE,
    key: ApiKey = None,
) -> None:
    """Queue all lines of a file."""
    with service(url, key) as addit:
        _say(addit.batches.submit_lines(lines.read_bytes()))


@batch.command()
def status(batch_id: BatchId, url: Url = HERE, key: ApiKey = None) -> None:
    """How many of its jobs are where."""
    with service(url, key) as addit:
        _say(addit.batches.get(batch_id))


@batch.command()
def results(batch_id: BatchId, url: Url = HERE, key: ApiKey = None) -> None:
    """What became of each line, in JSONL, once the batch has ended."""
    with service(url, key) as addit:
        for result in addit.batches.results(batch_id):
            typer.echo(result.model_dump_json())


@batch.command()
def cancel(batch_id: BatchId, url: Url = HERE, key: ApiKey = None) -> None:
    """Stop all that has not ended."""
    with service(url, key) as addit:
        _say(addit.batches.cancel(batch_id))


def _say(found: Batch) -> None:
    counts = ", ".join(f"{count} {name}" for name, count in found.counts if count)
    console.print(f"{found.id} {found.status}: {counts}", markup=False)
