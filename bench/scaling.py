"""`python -m bench.scaling [--workers 1,2,4,8,16,32]`: worker processes whose engines sleep for known times,
so that not this machine's cores are measured: throughput, fairness, what a job costs the store; and what
becomes of three times as much as there is room for.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import psutil
import typer
import uvloop

from bench.fairness import jain
from bench.figures import Figures
from bench.gateway.caller import Caller, calling
from bench.known_engine import CARD
from bench.open_model import OK, Seen, arrive, evenly
from bench.report import PAGES, JsonFile, ScalingDocs, measured, report
from bench.stack import Bed, timed_stack, until
from bench.store_traffic import counted
from job_store.listing import Wanted
from job_store.operations import Operations
from job_store.records import JobRecord

SPREAD = 0.5
"""Service times are drawn from the mean less and plus this share of it."""
SHARES = {"tenant-0": 8, "tenant-1": 4, "tenant-2": 2, "tenant-3": 1}
"""Of the jobs that wait: one floods."""
WARM_JOBS = 1
"""Of each worker, before what is counted."""


@dataclass(frozen=True)
class Row:
    """workers and mean service in seconds; jobs: that ended in the window; rate: a second, share: of what so
    many workers could do at best; fairness: Jain's index of tenants' work; operations, queries, bytes of the
    store for each job; idle: seconds between a worker's end of one job and its begin of the next; cores: that
    were busy, of all on this machine"""

    workers: int
    service: float
    jobs: int
    rate: float
    share: float
    fairness: float
    operations: float
    queries: float
    nbytes: float
    idle: float
    cores: float

    def cells(self) -> list[str]:
        """As COLUMNS name them."""
        return [
            f"{self.workers}", f"{self.service:g}", f"{self.jobs}", f"{self.rate:.2f}",
            f"{100 * self.share:.0f} %", f"{self.fairness:.4f}", f"{self.operations:.0f}",
            f"{self.queries:.0f}", f"{self.nbytes / 1000:.1f}", f"{1000 * self.idle:.0f}",
            f"{self.cores:.1f}",
        ]  # fmt: skip


COLUMNS = [
    "workers", "service s", "jobs", "jobs a second", "of the ideal", "Jain's index", "commands a job",
    "round trips", "kB", "idle ms between two jobs", "cores busy",
]  # fmt: skip


def scale(bed: Bed, workers: int, service: float, seconds: float) -> Row:
    """So many ready workers, more work than they can do, from tenants of whom one floods."""
    since = datetime.now(UTC)
    _fill(bed, workers, service, seconds)
    Operations(bed.redis).resume(CARD.name)
    time.sleep(WARM_JOBS * (1 + SPREAD) * service)
    psutil.cpu_percent()
    began = datetime.now(UTC)
    with counted(bed.redis) as traffic:
        time.sleep(seconds)
    ended, busy = datetime.now(UTC), psutil.cpu_percent() / 100 * (psutil.cpu_count() or 1)
    Operations(bed.redis).purge_queue(CARD.name)
    bed.wait_at_rest(60)
    # What was purged ended too, perhaps within the millisecond that the window ended in.
    succeeded = [job for job in _records(bed, since) if job.status == "succeeded"]
    done = [job for job in succeeded if job.completed_at and began <= job.completed_at < ended]
    work = Counter[str]()
    for job in done:
        work[job.tenant] += 1
    rate, number = len(done) / (ended - began).total_seconds(), max(1, len(done))
    return Row(
        workers, service, len(done), rate, rate * service / workers, jain([work[name] for name in SHARES]),
        traffic.operations / number, traffic.queries / number, traffic.nbytes / number, gap(done), busy,
    )  # fmt: skip


def gap(done: Sequence[JobRecord]) -> float:
    """Mean seconds from the end of a job to the begin of its worker's next; nan of none."""
    by_worker: dict[str | None, list[JobRecord]] = {}
    for job in sorted(done, key=lambda job: job.started_at or job.created_at):
        by_worker.setdefault(job.worker, []).append(job)
    pairs = (pair for jobs in by_worker.values() for pair in zip(jobs, jobs[1:], strict=False))
    gaps = [
        (later.started_at - earlier.completed_at).total_seconds()
        for earlier, later in pairs
        if later.started_at and earlier.completed_at
    ]
    return sum(gaps) / len(gaps) if gaps else float("nan")


def _fill(bed: Bed, workers: int, service: float, seconds: float) -> None:
    """The line, which stands still."""
    Operations(bed.redis).pause(CARD.name)
    dice, needed = random.Random(workers), workers * (seconds / service + 2 * (WARM_JOBS + 1))
    for tenant, share in SHARES.items():
        # Each has work till the end, were all served alike; who floods has more.
        for number in range(round(needed / len(SHARES) * (1.5 + share / 8))):
            bed.submit(service * dice.uniform(1 - SPREAD, 1 + SPREAD), number, tenant)


def _records(bed: Bed, since: datetime) -> Iterator[JobRecord]:
    """All that were submitted since then."""
    for tenant in SHARES:
        page, before = bed.jobs.list(tenant, 100, None, Wanted(created_after=since))
        yield from page
        while before:
            page, before = bed.jobs.list(tenant, 100, before, Wanted(created_after=since))
            yield from page


@dataclass(frozen=True)
class Overload:
    """rated, done: jobs a second, alone and under three times as much; refused: seconds of refusals at p99;
    recovered: seconds from the end until a new job was done"""

    rated: float
    done: float
    accepted: int
    refusals: int
    refused_p99: float
    errors: int
    recovered: float
    lost: int


TIMES, LINE = 3.0, 20


def overload(workers: int, service: float, seconds: float) -> Overload:
    """Three times the rate that workers can do, and a line of `LINE` jobs at most."""
    with timed_stack(workers, max_queued=LINE) as bed:

        async def pressed() -> Overload:
            async with calling(bed) as caller:
                return await _overload(bed, caller, workers, service, seconds)

        return uvloop.run(pressed())


async def _overload(bed: Bed, caller: Caller, workers: int, service: float, seconds: float) -> Overload:
    ideal = workers / service
    rated, _ = await _done(bed, caller, service, 1.2 * ideal, seconds)
    before = bed.counts(), len(caller.told)
    done, seen = await _done(bed, caller, service, TIMES * ideal, seconds)
    began = time.monotonic()
    while await caller.submit(service) != OK:
        await asyncio.sleep(0.05)
    newest = caller.told[-1]
    await asyncio.to_thread(until, lambda: bed.jobs.get(newest).status == "succeeded", 60)
    recovered = time.monotonic() - began
    await asyncio.to_thread(bed.wait_at_rest, 60)
    refused = seen.seconds["queue_full"]
    lost = len(caller.told) - before[1] - (bed.counts().succeeded - before[0].succeeded)
    return Overload(
        rated, done, seen.ok.count, refused.count, refused.percentile(0.99), seen.errors - refused.count,
        recovered, max(0, lost),
    )  # fmt: skip


async def _done(bed: Bed, caller: Caller, service: float, rate: float, seconds: float) -> tuple[float, Seen]:
    """(jobs done a second once the line is full, what the calls saw)."""
    await arrive(evenly(rate, min(seconds / 2, 5.0)), lambda number: caller.submit(service))
    before, began = bed.counts().succeeded, time.monotonic()
    seen = await arrive(evenly(rate, seconds), lambda number: caller.submit(service))
    return (bed.counts().succeeded - before) / (time.monotonic() - began), seen


def scaled(counts: Sequence[int], services: Sequence[float], seconds: float) -> list[Row]:
    """Each number of workers on the same stack, which grows."""
    rows = list[Row]()
    with timed_stack(counts[0]) as bed:
        running = counts[0]
        for count in counts:
            bed.stack.start_workers(count - running)
            running = count
            bed.wait_for_workers(count)
            rows += [scale(bed, count, service, max(seconds, 3 * service)) for service in services]
    return rows


def to_figures(rows: Sequence[Row], pressed: Overload | None) -> Figures:
    """The table, and what became of overload in its title."""
    title = "Worker processes with engines that sleep, one tenant of four flooding"
    values: dict[str, object] = {"rows": [asdict(row) for row in rows]}
    if pressed:
        values["overload"] = asdict(pressed)
        title += (
            f"; two workers offered {TIMES:g} times their rate did {pressed.done:.2f} of {pressed.rated:.2f} "
            f"jobs a second, refused {pressed.refusals} (p99 {1000 * pressed.refused_p99:.0f} ms), recovered "
            f"in {pressed.recovered:.1f} s; {pressed.lost} lost, {pressed.errors} errors"
        )
    return Figures(title, COLUMNS, [row.cells() for row in rows], values)


def main(
    workers: Annotated[str, typer.Option(help="How many, one after the other.")] = "1,2,4,8,16,32",
    service: Annotated[str, typer.Option(help="Mean seconds of a job.")] = "2,0.1",
    seconds: Annotated[float, typer.Option(min=1, help="Of each window.")] = 12.0,
    docs: ScalingDocs = False,
    file: JsonFile = Path("bench-results/scaling.json"),
) -> None:
    """Measure, print the table, write the values."""
    counts, services = (
        [int(word) for word in workers.split(",")],
        [float(word) for word in service.split(",")],
    )
    rows = scaled(counts, services, seconds)
    pressed = overload(2, 0.25, seconds)
    report("scaling", to_figures(rows, pressed), file, docs, measured, PAGES / "scaling.md")


if __name__ == "__main__":
    typer.run(main)
