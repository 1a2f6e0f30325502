"""Running jobs: one process with one thread for each core, every result kept as it comes."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Protocol

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from toyland.pool import bound_pool
from toyland.score.busy import kept_busy
from toyland.score.instruments import Instruments, open_instruments, scene_library, score_folder
from toyland.score.ledger import Ledger, Record
from toyland.score.tasks import (
    DrawingTask,
    InsertionTask,
    Pairs,
    Subset,
    drawing_tasks,
    insertion_tasks,
    kept_tasks,
)
from toyland.score.versions import Versions, Weights
from toyland.workshop import Workshop


class Job(Protocol):
    """One item of work, found again by its key."""

    @property
    def key(self) -> str:
        """Of everything the record depends on."""

    def run(self, instruments: Instruments) -> Record:
        """Measure."""


@dataclass(frozen=True)
class Laboratory:
    """Where jobs run: on which weights, in how many processes, and until when (`time.monotonic`)."""

    workshop: Workshop
    weights: Weights
    versions: Versions
    processes: int
    deadline: float | None = None

    def drawings(self, subset: Subset, count: int) -> list[DrawingTask]:
        """The fixed tasks, written down the first time: it takes the world a while to pose them."""
        file = self._task_file(f"drawings-{subset}-{count}")
        return kept_tasks(file, DrawingTask, lambda: drawing_tasks(self.workshop.world, subset, count))

    def insertions(self, pairs: Pairs, count: int) -> list[InsertionTask]:
        """Likewise."""
        file = self._task_file(f"insertions-{pairs}-{count}")
        return kept_tasks(file, InsertionTask, lambda: insertion_tasks(self.workshop.world, pairs, count))

    def _task_file(self, name: str) -> Path:
        versions = self.versions
        return score_folder(self.workshop) / f"tasks-{versions.pictures}-{versions.places}" / f"{name}.json"

    def measure(self, jobs: Sequence[Job], title: str) -> Ledger:
        """Run what was not measured before, in order; after the deadline nothing is begun any more."""
        ledger = Ledger(score_folder(self.workshop) / "records.jsonl")
        missing = list({job.key: job for job in jobs if job.key not in ledger}.values())
        if missing:
            scene_library(self.workshop, self.versions).thumbnails  # noqa: B018  drawn here, once, for all processes
            with _progress() as progress:
                task = progress.add_task(title, total=len(jobs), completed=len(jobs) - len(missing))
                for key, record in self._run(missing):
                    ledger.add(key, record)
                    progress.advance(task)
        return ledger

    def _run(self, jobs: Sequence[Job]) -> Iterator[tuple[str, Record]]:
        with bound_pool(self.processes, _open, self.workshop, self.weights, self.versions) as pool:
            try:
                begun = takewhile(lambda _: not self._late(), jobs)
                for job, record in kept_busy(lambda job: pool.submit(_run_job, job), begun, self.processes):
                    yield job.key, record
            finally:
                pool.shutdown(cancel_futures=True)

    def _late(self) -> bool:
        return self.deadline is not None and time.monotonic() > self.deadline


_opened: Instruments  # of this process, made by the pool's initializer


def _open(workshop: Workshop, weights: Weights, versions: Versions) -> None:
    global _opened
    torch.set_num_threads(1)
    _opened = open_instruments(weights, workshop, versions)


def _run_job(job: Job) -> Record:
    return job.run(_opened)


def _progress() -> Progress:
    """On the error stream: the output is a table, or JSON for a program."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True))
