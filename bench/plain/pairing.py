"""Runs of the engine and of the plain schedule, one after the other, so that a slow minute strikes both."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from bench.cost import Meter
from bench.plain.insertion import insert_plainly
from workers.addit.edits import Edit
from workers.addit.memory_tiers import DeviceTier
from workers.addit.models import Models
from workers.addit.pipeline import insert
from workers.addit.source_memory import SourceMemories

SEEDS = (1, 2, 3, 4)
CASES = ("first edit", "next edit", "four seeds")
DENOISING = ("source", "denoise")
"""Stages that run the transformer; what they are interrupted by counts elsewhere."""


@dataclass(frozen=True)
class Spent:
    """Seconds of the denoising stages, and of the whole insertion."""

    denoise: float
    whole: float

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.denoise + other.denoise, self.whole + other.whole)


@dataclass(frozen=True)
class Pair:
    """The same case by the plain schedule and by the engine."""

    plain: Spent
    here: Spent


@dataclass(frozen=True)
class Ratios:
    """Plain over engine: of denoising and whole seconds, and of counted FLOPs. seconds: the engine's."""

    denoise: float
    whole: float
    counted: float
    seconds: float

    @property
    def reached(self) -> float:
        """The share of what counting promises that the clock shows."""
        return self.denoise / self.counted


def measure_pairs(models: Models, edit: Edit, repeats: int) -> dict[str, Ratios]:
    """By case: medians of so many repeats, after one of both that only counts."""
    counted = counted_ratios(models, edit)
    runs = [_repeat(models, edit) for _ in range(repeats)]
    return {
        case: Ratios(
            median(run[case].plain.denoise / run[case].here.denoise for run in runs),
            median(run[case].plain.whole / run[case].here.whole for run in runs),
            counted[case],
            median(run[case].here.denoise for run in runs),
        )
        for case in CASES
    }


def _repeat(models: Models, edit: Edit) -> dict[str, Pair]:
    """Every case once, the plain runs of the four seeds between them."""
    known, fresh = _memories(models), _memories(models)
    plain = [_plain(models, edit, SEEDS[0])]
    first = _engine(models, replace(edit, seeds=SEEDS[:1]), known)
    plain.append(_plain(models, edit, SEEDS[1]))
    following = _engine(models, replace(edit, seeds=SEEDS[1:2]), known)
    plain.append(_plain(models, edit, SEEDS[2]))
    four = _engine(models, replace(edit, seeds=SEEDS), fresh)
    plain.append(_plain(models, edit, SEEDS[3]))
    one = Spent(median(each.denoise for each in plain), median(each.whole for each in plain))
    all_four = plain[0] + plain[1] + plain[2] + plain[3]
    return dict(zip(CASES, (Pair(one, first), Pair(one, following), Pair(all_four, four)), strict=True))


def _plain(models: Models, edit: Edit, seed: int) -> Spent:
    return _timed(lambda: insert_plainly(models, replace(edit, seeds=(seed,))).seconds)


def _engine(models: Models, edit: Edit, memories: SourceMemories) -> Spent:
    return _timed(lambda: insert(models, edit, memories=memories).seconds)


def _timed(run: Callable[[], dict[str, float]]) -> Spent:
    began = time.perf_counter()
    seconds = run()
    return Spent(sum(seconds.get(stage, 0.0) for stage in DENOISING), time.perf_counter() - began)


def counted_ratios(models: Models, edit: Edit) -> dict[str, float]:
    """FLOPs of the plain schedule's transformer calls over those of the engine's."""
    known, fresh = _memories(models), _memories(models)
    with metered(models.pipe.transformer) as meter:
        insert_plainly(models, replace(edit, seeds=SEEDS[:1]))
        plain = meter.take()
        insert(models, replace(edit, seeds=SEEDS[:1]), memories=known)
        first = meter.take()
        insert(models, replace(edit, seeds=SEEDS[1:2]), memories=known)
        following = meter.take()
        insert(models, replace(edit, seeds=SEEDS), memories=fresh)
        four = meter.take()
    return dict(zip(CASES, (plain / first, plain / following, len(SEEDS) * plain / four), strict=True))


@contextmanager
def metered(transformer: Any) -> Iterator[Meter]:
    """Its calls counted for a while."""
    meter = Meter()
    meter.attach(transformer)
    try:
        yield meter
    finally:
        del transformer.forward


def _memories(models: Models) -> SourceMemories:
    """One that keeps all."""
    return SourceMemories([DeviceTier(2**40)], models.device)
