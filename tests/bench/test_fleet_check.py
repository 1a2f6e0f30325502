"""The simulation held against the real stack: the comparison itself, and a short real run."""

from __future__ import annotations

import heapq
import random
from dataclasses import replace

import pytest

from bench.fleet.check import COLUMNS, Run, compare, replayed, run_real
from bench.open_model import by_chance
from bench.stack import TENANTS, timed_stack


def first_come(workers: int, run: Run) -> list[float]:
    """The naive formula: each job is for the worker that is free first."""
    free, waits = [0.0] * workers, []
    for at, kept in zip(run.arrived, run.kept, strict=True):
        begins = max(at, heapq.heappop(free))
        waits.append(begins - at)
        heapq.heappush(free, begins + kept)
    return waits


def drawn_run(workers: int, load: float, seconds: float) -> Run:
    dice = random.Random(5)
    arrived = [*by_chance(dice, load * workers, seconds)]
    tenants = [dice.randrange(TENANTS) for _ in arrived]
    return Run(tenants, arrived, [0.0] * len(arrived), [dice.expovariate(1.0) for _ in arrived])


@pytest.mark.parametrize("load", [0.6, 0.9])
def test_replayed_jobs_wait_as_long_on_average_as_first_come_first_served_makes_them(load: float) -> None:
    """Tenants take turns, which changes no mean where all jobs are alike."""
    drawn = drawn_run(3, load, 400.0)
    run = replace(drawn, kept=[1.0] * len(drawn.kept))
    served, naive = replayed(3, run), first_come(3, run)
    assert sum(served) == pytest.approx(sum(naive), rel=1e-9)


def test_a_comparison_has_both_ways() -> None:
    run = drawn_run(2, 0.8, 400.0)
    row = compare(0.8, 2, replace(run, waited=first_come(2, run)))
    assert row.ratios[0] == pytest.approx(1.0, rel=0.2), "who is next among jobs of different length"
    assert row.drawn[0] > 0
    assert len(row.cells()) == len(COLUMNS)


@pytest.mark.timeout(600)
def test_a_real_run_tells_arrivals_waits_and_how_long_workers_were_kept() -> None:
    with timed_stack(2) as bed:
        run = run_real(bed, 2, 0.7, 0.1, 4.0, seed=1)
    assert len(run.arrived) == len(run.waited) == len(run.kept) == len(run.tenants) > 5
    assert len(set(run.tenants)) == min(TENANTS, len(run.tenants))
    assert run.arrived == sorted(run.arrived)
    assert min(run.waited) >= 0
    assert sum(run.kept) / len(run.kept) >= 0.05
