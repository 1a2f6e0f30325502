"""`python -m bench.fleet [--gpus N] [--only TEXT] [--docs] …`: waits, hits, autoscaling and cost of a fleet.

Service times are measured ones (`--service`, the JSON of `python -m bench insertion`), or the forwards that
bench.cost counts for FLUX.1-dev times a card's seconds a forward, which are an assumption until measured.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import matplotlib as mpl
import typer
from matplotlib import pyplot as plt

from bench.figures import Figures
from bench.fleet.autoscaler import Policy
from bench.fleet.erlang import mean_wait
from bench.fleet.job import Traffic
from bench.fleet.service_times import ServiceTimes, of_forwards, read_bench
from bench.fleet.simulation import Fleet, Seen, Simulation
from bench.report import PAGES, JsonFile, ScalingDocs, measured, report

FIRST_U, FOLLOWING_U = 45.3, 28.4
"""Forwards of a real source's first edit and the next, counted by `python -m bench.cost`."""
LEAST_SHARE, MOST_FACTOR = 0.05, 4
"""Bounds of a fleet that scales, of the GPUs that the mean load needs."""
WARM_SECONDS = 600.0
"""Not counted."""


@dataclass(frozen=True)
class Case:
    """A row: a fleet under some traffic, and what was seen."""

    name: str
    seen: Seen
    seconds: float
    price: float

    def row(self) -> list[str]:
        """Waits by class, hits, use, and the price of a thousand jobs."""
        seen = self.seen
        waits = [f"{seen.wait(bulk, share):.1f}" for bulk, share in WAITS]
        return [
            self.name,
            f"{seen.jobs}",
            *waits,
            f"{seen.mean_completion:.1f}",
            f"{100 * seen.hits / max(1, seen.again):.0f} %",
            f"{seen.worker_seconds / self.seconds:.0f}",
            f"{100 * seen.busy_seconds / seen.worker_seconds:.0f} %",
            f"{self.cost:.2f}",
        ]

    @property
    def cost(self) -> float:
        """Of a thousand jobs, in the unit of `price`."""
        return 1000 * self.seen.worker_seconds / 3600 * self.price / max(1, self.seen.jobs)

    def values(self) -> dict[str, object]:
        """For programs."""
        seen = self.seen
        return {
            "jobs": seen.jobs,
            "mean_wait": seen.mean_wait,
            "mean_completion": seen.mean_completion,
            **{f"wait_{'bulk' if b else 'interactive'}_{q}": seen.wait(b, q) for b, q in WAITS},
            "again": seen.again,
            "hits": seen.hits,
            "mean_workers": seen.worker_seconds / self.seconds,
            "busy": seen.busy_seconds / seen.worker_seconds,
            "cost_per_thousand": self.cost,
        }


WAITS = [(False, 0.5), (False, 0.95), (False, 0.99), (True, 0.95)]
COLUMNS = [
    "fleet", "jobs", "wait s p50", "p95", "p99", "bulk p95", "mean to end", "hits", "GPUs", "busy",
    "cost of 1,000",
]  # fmt: skip
LOADS = (0.5, 0.6, 0.8)
"""Beside the one that is asked for: what leaving jobs to busy holders is worth at others."""


Run = Callable[[], Case]
"""A row that is still to be simulated."""


def fixed(gpus: int, load: float, service: ServiceTimes, hours: float, price: float) -> dict[str, Run]:
    """So many GPUs at a load (as if every edit again were a hit), by what is done with sources."""
    traffic = loaded(gpus, load, service)
    fleet = Fleet(gpus)
    fleets = {
        "sources not looked for": replace(fleet, affinity=False),
        "1 source in memory": replace(fleet, places=1),
        "8 sources, busy holders not waited for": replace(fleet, patience=0),
        "8 sources in memory": fleet,
    }
    return {name: _run(name, one, traffic, service, hours, price) for name, one in fleets.items()}


def left(gpus: int, service: ServiceTimes, hours: float, price: float) -> dict[str, Run]:
    """Loads, with and without leaving jobs to busy workers that hold their source."""
    fleets = {"not waited for": Fleet(gpus, patience=0), "waited for": Fleet(gpus)}
    names = {(load, kind): f"load {load:g}, busy holders {kind}" for load in LOADS for kind in fleets}
    return {
        name: _run(name, fleets[kind], loaded(gpus, load, service), service, hours, price)
        for (load, kind), name in names.items()
    }


def scaled(gpus: int, load: float, service: ServiceTimes, hours: float, price: float) -> dict[str, Run]:
    """A load that swings by 0.8 over a day and would need so many at its mean: by what the fleet goes by."""
    traffic = replace(loaded(gpus, load, service), swing=0.8)
    either = Policy(least=max(1, round(LEAST_SHARE * gpus)), most=MOST_FACTOR * gpus)
    by_wait = replace(either, most_busy=None)
    by_length = replace(by_wait, by="length", target=1)
    fleet = Fleet(max(1, gpus // 2))
    fleets = {
        "as many as the peak needs": replace(fleet, workers=round(1.8 * gpus)),
        "by wait, cold start 60 s": replace(fleet, policy=by_wait, cold_seconds=60),
        "by wait and work, cold start 60 s": replace(fleet, policy=either, cold_seconds=60),
        "by wait and work, cold start 300 s": replace(fleet, policy=either, cold_seconds=300),
        "by wait, cold start 300 s": replace(fleet, policy=by_wait, cold_seconds=300),
        "by length, cold start 300 s": replace(fleet, policy=by_length, cold_seconds=300),
    }
    return {name: _run(name, one, traffic, service, hours, price) for name, one in fleets.items()}


def loaded(gpus: int, load: float, service: ServiceTimes) -> Traffic:
    """That keeps the GPUs busy for this share of their time."""
    one = Traffic(1.0)
    seconds = Simulation(Fleet(1), one, service).expected_seconds
    return replace(one, sessions_per_second=gpus * load / (seconds * one.jobs_per_second))


def _run(name: str, fleet: Fleet, traffic: Traffic, service: ServiceTimes, hours: float, price: float) -> Run:
    def run() -> Case:
        seen = Simulation(fleet, traffic, service).run(hours * 3600, WARM_SECONDS)
        return Case(name, seen, hours * 3600, price)

    return run


def check(
    seconds: float = 1.0, servers: int = 20, load: float = 0.8, jobs: int = 200_000
) -> tuple[float, float]:
    """Mean waits of M/M/c: simulated, and Erlang's."""
    service = ServiceTimes(
        dict.fromkeys([(k, n) for k in (True, False) for n in (1, 4)], seconds), exponential=True
    )
    rate = servers * load / seconds
    traffic = Traffic(rate, tenants=1, again=0, four_seeds=0, bulk=0)
    seen = Simulation(Fleet(servers, affinity=False), traffic, service).run(jobs / rate, 100 * seconds)
    return seen.mean_wait, mean_wait(servers, rate, seconds)


def draw(cases: list[Case], file: Path) -> None:
    """GPUs and expected waits over the day, a line for each fleet that scales."""
    mpl.use("Agg")
    figure, (above, below) = plt.subplots(2, 1, sharex=True, figsize=(9, 5), layout="constrained")
    for case in cases:
        if case.seen.moments:
            at, workers, waits, _ = zip(*case.seen.moments, strict=True)
            hours = [moment / 3600 for moment in at]
            above.plot(hours, workers, label=case.name, linewidth=1)
            below.plot(hours, waits, linewidth=1)
    above.set_ylabel("GPUs")
    above.legend()
    below.set_ylabel("expected wait, s")
    below.set_xlabel("hour")
    below.set_yscale("symlog", linthresh=10)
    figure.savefig(file, dpi=100)
    plt.close(figure)


def main(
    gpus: Annotated[int, typer.Option(min=1, help="As many as the mean load needs.")] = 100,
    load: Annotated[float, typer.Option(min=0.01, max=1, help="Share of their time, sources known.")] = 0.7,
    hours: Annotated[float, typer.Option(min=0, help="Of a fixed fleet; 0: none.")] = 1.0,
    day_hours: Annotated[float, typer.Option(min=0, help="Of a scaling one; 0: none.")] = 24.0,
    service: Annotated[Path | None, typer.Option(help="JSON of `python -m bench insertion`.")] = None,
    forward_seconds: Annotated[float, typer.Option(help="Without it: of a forward, an assumption.")] = 0.25,
    other_seconds: Annotated[float, typer.Option(help="Without it: of a job's other work.")] = 1.0,
    price: Annotated[float, typer.Option(help="Of a GPU for an hour.")] = 2.0,
    only: Annotated[list[str] | None, typer.Option(help="Rows whose name has this, or another such.")] = None,
    plot: Annotated[Path | None, typer.Option(help="A picture of the scaling fleets.")] = None,
    docs: ScalingDocs = False,
    file: JsonFile = Path("bench-results/fleet.json"),
) -> None:
    """Simulate, print the table, write the values."""
    gc.disable()  # a fleet a row is all that is left in cycles; looking for more took a quarter of the time
    times = (
        of_forwards(FIRST_U, FOLLOWING_U, forward_seconds, other_seconds)
        if service is None
        else read_bench(service)
    )
    began = time.perf_counter(), time.process_time()
    simulated, erlang = check()
    rows = {**fixed(gpus, load, times, hours, price), **left(gpus, times, hours, price)} if hours else {}
    rows |= scaled(gpus, load, times, day_hours, price) if day_hours else {}
    cases = [run() for name, run in rows.items() if not only or any(word in name for word in only)]
    title = (
        f"{gpus} GPUs, load {load}, {price:g} an hour; "
        f"M/M/20 at 0.8: {simulated:.3f} s, Erlang {erlang:.3f} s; simulated in "
        f"{time.perf_counter() - began[0]:.0f} s, {time.process_time() - began[1]:.0f} s of a core"
    )
    values = {case.name: case.values() for case in cases}
    values["erlang"] = {"simulated": simulated, "exact": erlang}
    figures = Figures(title, COLUMNS, [case.row() for case in cases], values)
    report(f"fleet-{gpus}", figures, file, docs, measured, PAGES / "scaling.md")
    if plot:
        draw(cases, plot)


if __name__ == "__main__":
    typer.run(main)
