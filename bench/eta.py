"""How true foretold times come: `python -m bench.eta`. A mixed queue, the whole stack, engines that sleep."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Annotated

import typer

from api_schemas.estimates import EtaSeconds
from api_schemas.insertions import GeneratedSource, InsertionRequest, Options, Output
from api_schemas.jobs import TERMINAL, InsertionJob
from bench.figures import Figures
from bench.known_engine import CARD, SIDE
from bench.report import JsonFile, report
from client.client import Addit
from client.operator import running
from job_store.api_keys import ApiKeys
from job_store.connection import connect
from runtime.settings import Settings

WORKERS, TENANTS, SOURCES = 2, ("ann", "bob", "cid"), 8
WARM, LOOK_SECONDS = 12, 1.0
BANDS = ((0, 0), (1, 5), (6, 20), (21, 10_000))
"""Jobs before it, first and last."""


@dataclass(frozen=True)
class Foretold:
    """What a job was told at a moment, and what came: seconds from then."""

    position: int
    told: EtaSeconds
    took: float


@dataclass(frozen=True)
class _Told:
    job_id: str
    at: datetime
    position: int
    told: EtaSeconds


def measure(jobs: int = 120, seed: int = 0) -> Figures:
    """Tenants submit in bursts and one by one; every queued job is asked about every second."""
    settings = Settings(
        port=0, runner="bench.known_engine:load", model=CARD.name, log_level="WARNING", affinity_seconds=0.05
    )
    with (
        tempfile.TemporaryDirectory(prefix="addit-bench-") as folder,
        running(Path(folder), settings, workers=WORKERS) as (stack, _),
    ):
        keys = ApiKeys(connect(stack.settings.redis_url))
        clients = [Addit(stack.url, keys.create(tenant, "bench")) for tenant in TENANTS]
        try:
            found = _run(clients, jobs, random.Random(seed))
        finally:
            for client in clients:
                client.close()
    rows = [row for low, high in BANDS if (row := _row(low, high, found))]
    all_of_them = _row(0, BANDS[-1][1], found)
    assert all_of_them, "something waited"
    columns = [
        "jobs before",
        "asked",
        "done by p50",
        "done by p90",
        "median error s",
        "of the time",
        "p90 / time",
    ]
    values = {"foretold": [[one.position, one.told.p50, one.told.p90, one.took] for one in found]}
    title = f"Foretold times of {jobs} jobs, {len(TENANTS)} tenants, {WORKERS} workers"
    return Figures(title, columns, [*rows, ["all", *all_of_them[1:]]], values)


def _run(clients: Sequence[Addit], jobs: int, chance: random.Random) -> list[Foretold]:
    for client in clients:
        for _ in range(WARM // len(clients)):
            client.until_succeeded(client.submit(_request(chance, "interactive")).id)
    told: list[_Told] = []
    left, open_jobs = jobs, dict[str, Addit]()
    while left or open_jobs:
        for _ in range(min(left, chance.choice((0, 1, 2, 3, 20)))):
            client, left = chance.choice(clients), left - 1
            job = client.submit(_request(chance, chance.choice(("interactive", "bulk"))))
            open_jobs[job.id] = client
            told += _note(job)
        time.sleep(LOOK_SECONDS)
        for job_id, client in list(open_jobs.items()):
            job = client.job(job_id)
            if job.status in TERMINAL:
                del open_jobs[job_id]
            told += _note(job)
    ends = {one.job_id: one for one in told}
    return _with_ends(clients, told, list(ends))


def _note(job: InsertionJob) -> list[_Told]:
    """At the client's clock, which is the server's: one machine."""
    if job.status != "queued" or job.queue is None or job.queue.eta_seconds is None:
        return []
    return [_Told(job.id, datetime.now(job.created_at.tzinfo), job.queue.position, job.queue.eta_seconds)]


def _with_ends(clients: Sequence[Addit], told: Sequence[_Told], ids: Sequence[str]) -> list[Foretold]:
    ended = {job.id: job.completed_at for client in clients for job in _all(client) if job.id in set(ids)}
    found = []
    for one in told:
        end = ended[one.job_id]
        assert end is not None
        found.append(Foretold(one.position, one.told, (end - one.at).total_seconds()))
    return found


def _all(client: Addit) -> list[InsertionJob]:
    page = client.insertions(limit=100)
    jobs = list(page.data)
    while page.next_cursor:
        page = client.insertions(limit=100, cursor=page.next_cursor)
        jobs += page.data
    return jobs


def _request(chance: random.Random, priority: str) -> InsertionRequest:
    side = SIDE * chance.choice((1, 1, 2))
    return InsertionRequest(
        source=GeneratedSource(
            kind="generated",
            prompt="a room",
            seed=chance.randrange(SOURCES),
            width=side,
            height=side,
        ),
        prompt="a dog in a room",
        subject="dog",
        seeds=list(range(chance.choice((1, 1, 1, 2, 4)))),
        options=Options(num_inference_steps=chance.choice((8, 10, 16))),
        output=Output(include=[]),
        priority=priority,
    )


def _row(low: int, high: int, found: Sequence[Foretold]) -> list[str] | None:
    those = [one for one in found if low <= one.position <= high]
    if not those:
        return None
    name = f"{low}" if low == high else f"{low} to {min(high, max(one.position for one in those))}"
    errors = [abs(one.took - one.told.p50) for one in those]
    relative = [error / max(one.took, 0.01) for error, one in zip(errors, those, strict=True)]
    return [
        name,
        str(len(those)),
        *(f"{100 * sum(done) / len(those):.0f} %" for done in _shares(those)),
        f"{median(errors):.2f}",
        f"{100 * median(relative):.0f} %",
        f"{median(one.told.p90 / max(one.took, 0.01) for one in those):.2f}",
    ]


def _shares(those: Sequence[Foretold]) -> tuple[list[bool], list[bool]]:
    return [one.took <= one.told.p50 for one in those], [one.took <= one.told.p90 for one in those]


def main(
    jobs: Annotated[int, typer.Option(min=10, help="How many.")] = 120,
    seed: Annotated[int, typer.Option(help="Of what is submitted when.")] = 0,
    file: JsonFile = Path("bench-results/eta.json"),
) -> None:
    """Print the table, write the values."""
    report("eta", measure(jobs, seed), file, docs=False)


if __name__ == "__main__":
    typer.run(main)
