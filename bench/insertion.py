"""One insertion in one process: seconds by stage, forwards, and what more variations of one source cost."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from statistics import median

import torch

from bench.examples import picture, request
from bench.figures import Figures
from runtime.settings import Settings
from workers.addit.edits import Edit, PictureSource
from workers.addit.pipeline import insert
from workers.insertion import AdditRunner, load_runner

RUNS = 5


def measure() -> Figures:
    """Medians of `RUNS` runs after one that warms up, and their ratios to a first edit."""
    began = time.perf_counter()
    runner = load_runner(Settings())
    runner.canary()
    loaded = time.perf_counter() - began
    cases = {
        "first edit": timed(runner, [1], known=False),
        "first edit, four seeds": timed(runner, [1, 2, 3, 4], known=False),
        "another seed of a known source": timed(runner, [2], known=True),
        "four more seeds of it": timed(runner, [5, 6, 7, 8], known=True),
        "another mask": replayed(runner),
    }
    first = cases["first edit"]
    rows = [
        [name, f"{case.seconds:.2f}", f"{case.seconds / first.seconds:.2f}", f"{case.forwards:.1f}"]
        for name, case in cases.items()
    ]
    stages = [
        [f"  {stage}", f"{seconds:.3f}", f"{seconds / first.seconds:.2f}", ""]
        for stage, seconds in first.stages.items()
        if seconds
    ]
    values = {"load_seconds": loaded} | {
        name.replace(",", "").replace(" ", "_"): {"seconds": case.seconds, "forwards": case.forwards}
        for name, case in cases.items()
    }
    return Figures(
        f"Insertion, paper-real, 30 steps; load, warm-up and check took {loaded:.1f} s",
        ["what", "seconds", "of a first edit", "forwards"],
        [rows[0], *stages, *rows[1:]],
        values,
    )


@dataclass(frozen=True)
class Case:
    """Median seconds, forwards, and the last run's seconds by stage."""

    seconds: float
    forwards: float
    stages: Mapping[str, float]


def timed(runner: AdditRunner, seeds: list[int], *, known: bool) -> Case:
    """Whole requests; a source is known where an earlier run was the same tenant's."""
    shown, asked, seconds = picture(), request(seeds), []
    for run in range(RUNS + 1):
        began = time.perf_counter()
        owner = "known" if known else f"{seeds} {run}"
        output = runner.run(asked, shown, lambda *step: None, owner)
        seconds.append(time.perf_counter() - began)
    return Case(median(seconds[1:]), output.cost.forwards, output.timings.model_dump())


def replayed(runner: AdditRunner) -> Case:
    """The steps after a blend alone, from its saved state, with a mask that is given."""
    edit = replace(runner.to_edit(request([1]), picture()), owner="known")
    done, seconds = insert(runner.models, edit, memories=runner.memories), []
    mask = torch.zeros(edit_size(edit), dtype=torch.bool)
    mask[mask.shape[0] // 2 :, mask.shape[1] // 3 : -mask.shape[1] // 3] = True
    for _ in range(RUNS + 1):
        began = time.perf_counter()
        again = insert(
            runner.models, replace(edit, mask=mask), memories=runner.memories, resume=done.blends[0]
        )
        seconds.append(time.perf_counter() - began)
    return Case(median(seconds[1:]), again.forwards.total, again.seconds)


def edit_size(edit: Edit) -> tuple[int, int]:
    """(height, width) of a real source."""
    assert isinstance(edit.source, PictureSource)
    return edit.source.picture.shape[0], edit.source.picture.shape[1]
