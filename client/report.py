"""What a person sees of a job on a terminal: a bar while it runs, a table and warnings when it has ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from api_schemas.events import JobEvent
from api_schemas.jobs import InsertionJob, InsertionResult, ResultImage
from api_schemas.subjects import as_tuple


@contextmanager
def progress_bar(console: Console) -> Iterator[Callable[[JobEvent], None]]:
    """A bar for one job; hand it every event."""
    columns = (TextColumn("{task.description:9}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("submit", total=100)

        def show(event: JobEvent) -> None:
            stage = str(event.data.get("stage", event.type))
            percent = 100 if event.type == "completed" else event.data.get("percent")
            progress.update(bar, description=stage, completed=percent)

        yield show


def result_of(job: InsertionJob) -> InsertionResult:
    """The result of a succeeded job."""
    assert job.result is not None
    return job.result


def timings_table(job: InsertionJob) -> Table:
    """Seconds per stage, and from acceptance to the end."""
    table = Table("stage", "seconds", title=job.id, title_justify="left")
    table.columns[1].justify = "right"
    for stage, seconds in result_of(job).timings:
        table.add_row(stage, f"{seconds:.2f}")
    if job.completed_at:
        table.add_section()
        table.add_row("in all", f"{(job.completed_at - job.created_at).total_seconds():.2f}")
    return table


def understood(job: InsertionJob) -> str:
    """The texts that were worked with, whoever worded them."""
    request, inferred = job.request, result_of(job).inferred
    source = inferred.source_prompt if inferred else request.source.prompt
    prompt = inferred.prompt if inferred else request.prompt
    subjects = as_tuple(inferred.subject if inferred else request.subject)
    objects = "object is" if len(subjects) == 1 else "objects are"
    return f"understood: from {source!r} to {prompt!r}, the new {objects} {', '.join(map(repr, subjects))}"


def summary(job: InsertionJob) -> list[str]:
    """A line per variation, those that were dropped last, then the warnings."""
    result = result_of(job)
    warnings = [f"warning {warning.code}: {warning.message}" for warning in result.warnings]
    dropped = [f"seed {one.seed}: dropped, {one.reason}" for one in result.dropped]
    return [_verdict(image) for image in result.images] + dropped + warnings


def _verdict(image: ResultImage) -> str:
    several = len(image.subjects) > 1
    if not image.subject_found:
        missing = ", ".join(one.subject for one in image.subjects if not one.found)
        return f"seed {image.seed}: {missing if several else 'subject'} not found, {image.reason}"
    return f"seed {image.seed}: {'all subjects' if several else 'subject'} found, in the box {image.box}"
