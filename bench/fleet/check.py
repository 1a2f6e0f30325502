"""`python -m bench.fleet.check`: the simulation held against the real stack.

Jobs arrive by chance at shares of what so many real workers can do; their engines sleep for times drawn
beforehand. The simulation gets the same arrivals of the same tenants and, as its service times, how long each
job really kept a worker (measured: from its start to its end, and on to its worker's next claim); what it
foretells are the waits. Beside it, the simulation's own draws: the mean of several seeds of the same length.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from bench.figures import Figures, percentile
from bench.fleet.job import Job, Traffic
from bench.fleet.service_times import ServiceTimes
from bench.fleet.simulation import Fleet, Simulation
from bench.gateway.caller import calling
from bench.open_model import arrive, by_chance
from bench.report import PAGES, JsonFile, ScalingDocs, measured, report
from bench.scaling import gap
from bench.stack import TENANTS, Bed, timed_stack
from job_store.records import JobRecord

SPREAD = 0.5
"""Sigma of the lognormal service times."""
WARM = 0.1
"""Of a run, which is not counted."""
SEEDS = 20


@dataclass(frozen=True)
class Run:
    """A run of the real stack: what each job met, in order of arrival. Seconds.

    tenants: whose it was, from 0; arrived: from the first arrival
    kept: that its worker was kept, the way to the next claim included
    """

    tenants: Sequence[int]
    arrived: Sequence[float]
    waited: Sequence[float]
    kept: Sequence[float]


@dataclass(frozen=True)
class Row:
    """Waits (mean, p95) after the warm-up: real, and simulated with the same jobs and with drawn ones."""

    load: float
    workers: int
    jobs: int
    real: tuple[float, float]
    same: tuple[float, float]
    drawn: tuple[float, float]

    @property
    def ratios(self) -> tuple[float, float]:
        """Of the simulated mean and p95 to the real ones, with the same jobs."""
        return self.same[0] / self.real[0], self.same[1] / self.real[1]

    def cells(self) -> list[str]:
        """As COLUMNS name them."""
        pairs = (self.real, self.same, self.drawn)
        mean, late = ([f"{1000 * pair[at]:.0f}" for pair in pairs] for at in (0, 1))
        ratios = [f"{ratio:.2f}" for ratio in self.ratios]
        return [f"{self.load:.0%}", f"{self.jobs}", *mean, ratios[0], *late, ratios[1]]


COLUMNS = [
    "load", "jobs", "mean wait ms: real", "same jobs simulated", "drawn by itself", "ratio",
    "p95: real", "same", "drawn", "ratio",
]  # fmt: skip


class Replay(Simulation):
    """The simulation with the arrivals and service times of a run."""

    def __init__(self, workers: int, run: Run) -> None:
        super().__init__(Fleet(workers, affinity=False), ALONE, _alike(statistics.fmean(run.kept)))
        self._run, self.waits = run, dict[int, float]()

    def _sessions(self) -> Iterator[tuple[float, int]]:
        return zip(self._run.arrived, self._run.tenants, strict=True)

    def _begin(self, job: Job, number: int) -> None:
        self.waits[job.source] = self._now - job.arrived
        super()._begin(job, number)

    def _draw(self, job: Job, known: bool) -> float:
        return self._run.kept[job.source]


ALONE = Traffic(1.0, tenants=TENANTS, again=0.0, four_seeds=0.0, bulk=0.0)
"""One seed a job, no source twice; the tenants of bench/stack.py."""


def _alike(seconds: float) -> ServiceTimes:
    return ServiceTimes(dict.fromkeys([(k, n) for k in (True, False) for n in (1, 4)], seconds), SPREAD)


def replayed(workers: int, run: Run) -> list[float]:
    """The waits that the simulation gives the same jobs."""
    simulation = Replay(workers, run)
    simulation.run(run.arrived[-1] + 1000 * max(run.kept))
    return [simulation.waits[number] for number in range(len(run.arrived))]


def drawn(workers: int, run: Run) -> tuple[float, float]:
    """Mean wait and p95 where the simulation draws jobs of the same rate and mean itself."""
    rate, found = len(run.arrived) / run.arrived[-1], list[tuple[float, float]]()
    for seed in range(SEEDS):
        traffic = replace(ALONE, sessions_per_second=rate)
        service = _alike(statistics.fmean(run.kept))
        length = run.arrived[-1]
        seen = Simulation(Fleet(workers, affinity=False), traffic, service, seed).run(
            (1 - WARM) * length, WARM * length
        )
        found.append((seen.mean_wait, seen.wait(False, 0.95)))
    means, lates = zip(*found, strict=True)
    return statistics.fmean(means), statistics.fmean(lates)


def run_real(bed: Bed, workers: int, load: float, service: float, seconds: float, seed: int) -> Run:
    """Jobs at this share of what the workers can do, turnaround included as measured beforehand."""
    rate = load * workers / (service + _turnaround(bed, workers, service))
    dice = random.Random(seed)
    times = [
        service * dice.lognormvariate(-(SPREAD**2) / 2, SPREAD) for _ in range(round(2 * rate * seconds))
    ]

    async def run() -> list[str]:
        async with calling(bed) as caller:
            moments = [*by_chance(dice, rate, seconds)]
            seen = await arrive(moments, lambda number: caller.submit(times[number]))
            if seen.errors or seen.dropped:
                raise RuntimeError(f"{seen.errors} calls went wrong, {seen.dropped} were dropped")
            return caller.told

    ids = uvloop.run(run())
    bed.wait_at_rest(120)
    return of_records([job for job in bed.jobs.get_all(ids) if job.status == "succeeded"])


def _turnaround(bed: Bed, workers: int, service: float) -> float:
    """Seconds that a worker needs beyond its engine's time, from one job to the next, when all are busy."""
    bed.pause(True)
    ids = [bed.submit(service, number) for number in range(12 * workers)]
    bed.pause(False)
    bed.wait_at_rest(120)
    jobs = bed.jobs.get_all(ids)
    return statistics.fmean(_held(job) for job in jobs) - service + max(0.0, gap(jobs))


def of_records(jobs: Sequence[JobRecord]) -> Run:
    """What their records tell. A worker is kept from a job's start until it may claim the next."""
    ordered = sorted(jobs, key=lambda job: job.created_at)
    began = ordered[0].created_at
    between = _busy_gap(ordered)
    numbers = {name: number for number, name in enumerate(sorted({job.tenant for job in jobs}))}
    return Run(
        [numbers[job.tenant] for job in ordered],
        [(job.created_at - began).total_seconds() for job in ordered],
        [_waited(job) for job in ordered],
        [_held(job) + between for job in ordered],
    )


def _busy_gap(jobs: Sequence[JobRecord]) -> float:
    """From a job's end to its worker's next claim, where one waited already."""
    gaps = list[float]()
    by_worker = dict[str | None, JobRecord]()
    for job in sorted(jobs, key=lambda job: job.started_at or job.created_at):
        last = by_worker.get(job.worker)
        if last and last.completed_at and job.started_at and job.created_at < last.completed_at:
            gaps.append((job.started_at - last.completed_at).total_seconds())
        by_worker[job.worker] = job
    return statistics.fmean(gaps) if gaps else 0.0


def _waited(job: JobRecord) -> float:
    assert job.started_at is not None
    return (job.started_at - job.created_at).total_seconds()


def _held(job: JobRecord) -> float:
    assert job.started_at is not None
    assert job.completed_at is not None
    return (job.completed_at - job.started_at).total_seconds()


def compare(load: float, workers: int, run: Run) -> Row:
    """Without the warm-up."""
    warm = WARM * run.arrived[-1]
    counted = [number for number, at in enumerate(run.arrived) if at >= warm]
    same = replayed(workers, run)
    real, simulated = ([waits[number] for number in counted] for waits in (run.waited, same))
    return Row(load, workers, len(counted), _told(real), _told(simulated), drawn(workers, run))


def _told(waits: Sequence[float]) -> tuple[float, float]:
    return statistics.fmean(waits), percentile(waits, 0.95)


def main(
    workers: Annotated[int, typer.Option(min=1, help="Worker processes.")] = 4,
    loads: Annotated[str, typer.Option(help="Shares of what they can do.")] = "0.6,0.8,0.9",
    service: Annotated[float, typer.Option(help="Mean seconds of a job.")] = 0.25,
    seconds: Annotated[float, typer.Option(min=1, help="Of each run.")] = 120.0,
    seed: Annotated[int, typer.Option(help="Of arrivals and service times.")] = 0,
    docs: ScalingDocs = False,
    file: JsonFile = Path("bench-results/fleet-check.json"),
) -> None:
    """Run both, print the table, write the values."""
    asked, runs = [float(word) for word in loads.split(",")], list[Run]()
    for at, load in enumerate(asked):
        with timed_stack(workers) as bed:  # each its own: workers that know a run's sources are waited for
            runs.append(run_real(bed, workers, load, service, seconds, seed + at))
    rows = [compare(load, workers, run) for load, run in zip(asked, runs, strict=True)]
    title = f"Waits of {workers} real workers ({service:g} s a job, lognormal {SPREAD:g}) and simulated"
    values = {
        f"{row.load:g}": {"jobs": row.jobs, "real": row.real, "same": row.same, "drawn": row.drawn}
        for row in rows
    }
    figures = Figures(title, COLUMNS, [row.cells() for row in rows], values)
    report("fleet-check", figures, file, docs, measured, PAGES / "scaling.md")


if __name__ == "__main__":
    typer.run(main)
