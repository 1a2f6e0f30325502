"""The whole table of the paper on the embedded model, in the order in which a part of it says most.

Tuning first, since the rivals of the table are tuned; then every method on the first items, the ablations
and sweeps on the same, every method on the rest, further seeds, the other suites, the untuned rivals.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from rich.progress import Progress

from evaluation.methods.catalogue import Places, catalogue
from evaluation.methods.method import Method, Workbench
from evaluation.metrics.judges import toyland_judges
from evaluation.parallel import Task, perform, processes
from evaluation.report.figures import newest
from evaluation.running import Evaluation, code_version, plan, progress_bar
from evaluation.sourcing import model_name
from evaluation.suites.catalogue import open_suite
from evaluation.suites.items import Item
from evaluation.tuning import choose, grids, tries, tuned, validation_seeds
from toyland.score.ledger import Ledger, Record
from toyland.world import World
from workers.models.profiles import find_profile

MODEL = "embedded"
SUITE, VALIDATION = "toyland-affordance", "toyland-affordance-validation"
OTHER_SUITES = ("toyland-relations", "toyland-additing")
PRESETS = ("addit", "addit-reference", "addit-strict")
TUNED = ("addit", "sdedit", "prompt-to-prompt", "flowedit", "toyland-rival")
SWEPT = ("ablations", "gamma", "structure")
"""Groups of methods."""
TUNING = "tuning"
"""Folder of a tuning's records, apart from those of tests."""
ALONE = 5
"""First items whose pictures are made with nothing known of their sources: their costs are reported."""
REPORT_SECONDS = 300.0
"""Between two writings of what is known so far."""


@dataclass(frozen=True)
class Amounts:
    """Items and seeds: of the table, of ablations and sweeps (on one seed), of the tuning (on one seed)."""

    items: int = 200
    seeds: int = 3
    swept: int = 60
    tuned_on: int = 24


@dataclass(frozen=True)
class Stage:
    """Some methods on some items and seeds. folder: of its records, in the results'"""

    title: str
    suite: str
    methods: Mapping[str, Method]
    items: Sequence[Item]
    seeds: Sequence[int]
    folder: str = ""

    def tasks(self, results: Path) -> list[Task]:
        """An item each."""
        folder = results / self.folder
        return [
            Task(self.title, folder, self.suite, item, self.methods, self.seeds, self._alone(number))
            for number, item in enumerate(self.items)
        ]

    def _alone(self, number: int) -> bool:
        return number < ALONE and 0 in self.seeds

    def done(self, records: Sequence[Record]) -> tuple[int, int]:
        """Of its pictures those that were measured, and all."""
        keys = ("method", "item", "seed")
        known = {tuple(record[key] for key in keys) for record in records if record["suite"] == self.suite}
        trials = plan(self.methods, self.items, self.seeds)
        wanted = [(trial.name, trial.item.name, trial.seed) for trial in trials]
        return sum(each in known for each in wanted), len(wanted)


@dataclass(frozen=True)
class PaperTable:
    """results: folder of records, pictures and suites; world: draws suites that are not there yet"""

    results: Path
    amounts: Amounts
    places: Places
    world: Callable[[], World]

    @cached_property
    def bench(self) -> Workbench:
        """For names; no model is opened in this process."""
        return Workbench(find_profile(MODEL))

    def tuning(self) -> Stage:
        """Every setting of every method that is tuned."""
        known = self._grids
        methods = {name: method for each, grid in known.items() for name, method in tries(each, grid).items()}
        items = self._items(VALIDATION)[: self.amounts.tuned_on]
        title = f"tuning: {len(known)} methods, nine settings each"
        return Stage(title, VALIDATION, methods, items, validation_seeds(1), TUNING)

    def measured(self) -> list[Stage]:
        """All after the tuning. Methods that were not tuned yet stand there as they are."""
        items, amounts = self._items(SUITE)[: self.amounts.items], self.amounts
        table, first = self._table(), items[: amounts.swept]
        swept = self._known(lambda name, group: group in SWEPT)
        stages = [
            Stage(f"every method, first {len(first)} items, seed 1", SUITE, table, first, [0]),
            Stage(f"ablations and sweeps, {len(first)} items, seed 1", SUITE, swept, first, [0]),
            Stage(f"every method, {len(items)} items, seed 1", SUITE, table, items, [0]),
        ]
        if amounts.seeds > 1:
            title = f"every method, {len(items)} items, seeds 2 to {amounts.seeds}"
            by_chance = {name: method for name, method in table.items() if any(map(method.seeded, items))}
            stages.append(Stage(title, SUITE, by_chance, items, range(1, amounts.seeds)))
        brief = {name: method for name, method in table.items() if name not in PRESETS[1:]}
        stages += [
            Stage(f"{suite}, seed 1", suite, brief, self._items(suite)[: amounts.items], [0])
            for suite in OTHER_SUITES
        ]
        plain = self._known(lambda name, group: name in TUNED and name not in PRESETS)
        return [*stages, Stage("rivals as published, seed 1", SUITE, plain, items, [0])]

    def choose(self) -> None:
        """Publish every grid that was measured whole, with its best setting."""
        stage = self.tuning()
        evaluation = Evaluation(self.results / TUNING, VALIDATION, self.bench, toyland_judges)
        for name, grid in self._grids.items():
            own = Stage(name, VALIDATION, tries(name, grid), stage.items, stage.seeds)
            done, wanted = own.done(self.records(TUNING))
            if done == wanted:
                choose(evaluation, name, grid, stage.items, 1)

    def records(self, folder: str = "") -> list[Record]:
        """What was measured of these weights by today's code."""
        now = model_name(self.bench), code_version()
        known = newest(Ledger(self.results / folder / "records.jsonl").records())
        return [record for record in known if (record["model"], record.get("code")) == now]

    def progress(self) -> list[tuple[str, int, int]]:
        """Of every stage its title, how many pictures are measured, and how many there are."""
        tuning = self.tuning()
        rows = [(tuning.title, *tuning.done(self.records(TUNING)))]
        known = self.records()
        return rows + [(stage.title, *stage.done(known)) for stage in self.measured()]

    @cached_property
    def _grids(self) -> Mapping[str, tuple[Method, ...]]:
        known = grids(self.bench.profile, self.places)
        return {name: known[name] for name in TUNED if name in known}

    def _table(self) -> dict[str, Method]:
        """The presets as they are, then everybody as tuned."""
        found, known = self._known(lambda name, group: name in PRESETS), self._grids
        for name, method in self._known(lambda name, group: name in TUNED).items():
            grid = known.get(name, ())
            better = tuned(self.results, name, grid, model_name(self.bench)) if grid else None
            if better is not None:
                found[f"{name}-tuned"] = better
            elif name not in found:
                found[name] = method
        return found

    def _known(self, wanted: Callable[[str, str], bool]) -> dict[str, Method]:
        entries = catalogue(self.bench.profile, self.places).items()
        return {name: entry.method for name, entry in entries if wanted(name, entry.group)}

    def _items(self, suite: str) -> list[Item]:
        return open_suite(suite, self.results / "suites", self.world)


def measure_table(table: PaperTable, count: int, minutes: float | None, write: Callable[[], None]) -> None:
    """Go on with the table until it is whole or the time is over. Stop it whenever you like.

    count: of processes; minutes: None measures all, 0 only writes; write: reports what is known, after every
    stage and every few minutes
    """
    deadline = float("inf") if minutes is None else time.time() + 60 * minutes
    began = time.time()
    try:
        with processes(count, MODEL, deadline) as pool, progress_bar() as progress:

            def carry_out(stage: Stage) -> None:
                _carry_out(perform(pool, count, stage.tasks(table.results)), stage, progress, write)

            if time.time() < deadline:
                carry_out(table.tuning())
            table.choose()
            for stage in table.measured():
                if time.time() < deadline:
                    carry_out(stage)
                    write()
    finally:
        note_session(table.results, time.time() - began, count)
        write()


def _carry_out(ended: Iterator[bool], stage: Stage, progress: Progress, write: Callable[[], None]) -> None:
    bar, written = progress.add_task(stage.title, total=len(stage.items)), time.time()
    for done in ended:
        progress.update(bar, advance=done)
        if time.time() - written > REPORT_SECONDS:
            write()
            written = time.time()


SESSIONS = "sessions.txt"


def note_session(results: Path, seconds: float, count: int) -> None:
    """Keep how long the processes ran."""
    results.mkdir(parents=True, exist_ok=True)
    with (results / SESSIONS).open("a", encoding="utf-8") as lines:
        lines.write(f"{seconds:.0f} {count} {os.cpu_count()}\n")


def sessions(results: Path) -> list[tuple[int, int, int]]:
    """Of every run its seconds, its processes, and the machine's CPUs."""
    with suppress(FileNotFoundError):
        lines = (results / SESSIONS).read_text(encoding="utf-8").splitlines()
        return [(int(a), int(b), int(c)) for a, b, c in map(str.split, lines)]
    return []
