"""Every method on every item and seed: made once, measured once; an interruption loses one picture."""

from __future__ import annotations

import hashlib
import resource
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

import evaluation.methods
import evaluation.metrics
from client.errors import ClientError
from evaluation.methods.method import Edited, Method, Workbench
from evaluation.metrics.judges import Judges
from evaluation.metrics.measuring import Measured, measure
from evaluation.sourcing import Sourced, model_name, source_of
from evaluation.suites.items import Item
from toyland.score.ledger import Ledger, Record, key_of
from toyland.score.made import Made, load_made, make_once
from toyland.score.versions import code_of, digest_method
from workers.addit.errors import AdditError

KIBIBYTE = 1024
"""What `ru_maxrss` counts in on Linux."""


@dataclass(frozen=True)
class Trial:
    """One method on one item with one seed."""

    name: str
    method: Method
    item: Item
    seed: int


@dataclass
class Evaluation:
    """A suite's records and pictures in a folder.

    open_judges: asked when something is to be measured
    reuse: what earlier edits learned of a source is used again; what a picture costs alone is not known then
    """

    folder: Path
    suite: str
    bench: Workbench
    open_judges: Callable[[], Judges]
    reuse: bool = False

    @cached_property
    def records(self) -> Ledger:
        """What was measured."""
        return Ledger(self.folder / "records.jsonl")

    @cached_property
    def costs(self) -> Ledger:
        """What making the pictures took, by their keys: it is known only once."""
        return Ledger(self.folder / "made.jsonl")

    @cached_property
    def judges(self) -> Judges:
        """The judges."""
        return self.open_judges()

    def run(self, methods: Mapping[str, Method], items: Sequence[Item], seeds: Sequence[int]) -> None:
        """Make and measure what was not before. seeds: added to each item's own"""
        trials = list(plan(methods, items, seeds))
        with progress_bar() as progress:
            task = progress.add_task(self.suite, total=len(trials))
            for trial in trials:
                progress.update(task, description=f"{self.suite}: {trial.name}")
                self.measure(trial)
                progress.advance(task)

    def measure(self, trial: Trial) -> None:
        """Make and measure a picture that was not before."""
        source = source_of(self.bench, trial.item, trial.seed, self.made)
        key = self.key(trial, source)
        if key in self.records:
            return
        if trial.name not in self._prepared:
            trial.method.prepare(self.bench)
            self._prepared.add(trial.name)
        self.records.add(key, self._record(trial, source))

    @cached_property
    def _prepared(self) -> set[str]:
        """Methods that have opened what they need."""
        return set()

    @property
    def made(self) -> Path:
        """Where pictures are kept."""
        return self.folder / "made"

    def made_key(self, trial: Trial, source: Sourced) -> str:
        """Of everything a picture depends on."""
        item = trial.item
        told = (item.source_prompt, item.prompt, item.subject, item.instruction, item.image is None)
        return key_of(trial.method, *told, source.digest, trial.seed, model_name(self.bench), made_by())

    def key(self, trial: Trial, source: Sourced) -> str:
        """Of everything a record depends on, its name included."""
        item = trial.item
        asked = (self.suite, item.name, trial.name, item.relation, item.anchor, source.places)
        return key_of(self.made_key(trial, source), *asked, self.judges.name, measured_by())

    def _record(self, trial: Trial, source: Sourced) -> Record:
        key, item = self.made_key(trial, source), trial.item
        if key not in self.costs:
            self.costs.add(key, self._make(trial, source, key))
        cost = self.costs[key]
        return {
            "suite": self.suite,
            "method": trial.name,
            "model": model_name(self.bench),
            "settings": plain(trial.method),
            "judges": self.judges.name,
            "code": code_version(),
            "item": item.name,
            "subject": item.subject,
            "relation": item.relation,
            "prompts": [item.source_prompt, item.prompt],
            "seed": trial.seed,
            "made": key,
            "metrics": self._measure(trial, source, key, cost["failed"]),
            **cost,
        }

    def _make(self, trial: Trial, source: Sourced, key: str) -> Record:
        """The picture, to a file; what it took, where that was all its own."""
        if not self.reuse:
            self.bench.forget()
        reset_peak(self.bench.device)
        began, failed, edited = time.perf_counter(), None, None
        try:
            edited = trial.method.edit(self.bench, trial.item, source.picture, trial.seed)
        except (AdditError, ClientError) as error:
            failed = f"{type(error).__name__}: {error}"
        seconds = time.perf_counter() - began
        if edited is not None:
            make_once(self.made, key, lambda: to_made(edited, source))
        peak = peak_bytes(self.bench.device)
        if edited is None or edited.reused:
            return {"failed": failed, "forwards": None, "seconds": None, "peak_bytes": None}
        return {"failed": None, "forwards": edited.forwards, "seconds": seconds, "peak_bytes": peak}

    def _measure(self, trial: Trial, source: Sourced, key: str, failed: str | None) -> Measured:
        """A method that gave no picture added nothing."""
        if failed is not None:
            placed = 0.0 if source.boxes or source.region is not None else None
            related = None if trial.item.relation is None else 0.0
            return {"inclusion": 0.0, "added": 0.0, "affordance": placed, "relation": related}
        edited = load_made(self.made / f"{key}.npz").picture
        return measure(self.judges, trial.item, source.picture, edited, source.boxes, source.region)


def plan(methods: Mapping[str, Method], items: Sequence[Item], seeds: Sequence[int]) -> Iterator[Trial]:
    """Method by method, so that one model at a time is busy; without chance one seed is enough."""
    for name, method in methods.items():
        for item in items:
            for seed in seeds if method.seeded(item) else seeds[:1]:
                yield Trial(name, method, item, item.seed + seed)


def plain(method: Method) -> dict[str, Any]:
    """Its settings, for a report."""
    settings = asdict(method)  # type: ignore[call-overload]
    return {"type": type(method).__name__, **settings}


def to_made(edited: Edited, source: Sourced) -> Made:
    """What is kept of a picture."""
    return Made(edited.picture, source.picture, mask=edited.mask)


def reset_peak(device: torch.device) -> None:
    """Count the device's memory anew; a process' own cannot be."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def peak_bytes(device: torch.device) -> int:
    """Most bytes at a time: of the GPU since `reset_peak`, else of the whole process so far."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIBIBYTE


@cache
def made_by() -> str:
    """A digest of all code that makes pictures."""
    return f"{digest_method()} {_digest(evaluation.methods.__path__[0])}"


@cache
def measured_by() -> str:
    """A digest of all code that measures them."""
    return _digest(evaluation.metrics.__path__[0])


def code_version() -> str:
    """Of all that decides a record: others were measured by other means."""
    return f"{made_by()} {measured_by()}"


def _digest(folder: str) -> str:
    return hashlib.sha256(code_of(Path(folder))).hexdigest()[:16]


def progress_bar() -> Progress:
    """On the error stream: the output is a table."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True))
