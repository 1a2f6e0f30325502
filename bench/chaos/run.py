"""One run: traffic, faults by the plan, then peace, the audit, and what came of it all."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from redis import Redis

from bench.chaos.faults import Planned
from bench.chaos.fleet import Fleet, fleet_of
from bench.chaos.receiver import Receiver, receiving
from bench.chaos.traffic import Book, Traffic
from bench.chaos.verdict import Struck, Verdict, judge, recovery
from job_store.api_keys import ApiKeys
from job_store.audit import violations
from job_store.connection import connect
from job_store.errors import StoreUnavailable
from job_store.jobs import JobStore
from job_store.keys import Key
from job_store.records import JobRecord
from job_store.server import Server
from job_store.workers import WorkerRegistry

TENANT = "chaos"
DRAIN_SECONDS = 180.0
POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Outcome:
    """What a run came to. recoveries: of each fault; None: nothing ever succeeded that it had blocked."""

    verdict: Verdict
    violations: Sequence[str]
    book: Book
    webhooks: int
    webhooks_failed: int
    recoveries: Sequence[tuple[Struck, float | None]]
    starts: dict[str, int]
    drain_seconds: float

    @property
    def sound(self) -> bool:
        """Whether every promise was kept."""
        return not (self.verdict.lost or self.verdict.doubled or self.verdict.strays or self.violations)


async def run(
    folder: Path, planned: Sequence[Planned], seconds: float, per_second: float, seed: int
) -> Outcome:
    """Traffic for so long, and faults as planned; data and logs stay in `folder`. Raises `TimeoutError`."""
    dice = random.Random(seed)
    with receiving(random.Random(seed)) as receiver:
        async with fleet_of(folder) as fleet:
            await fleet.until_ready()
            with connect(fleet.valkey.url) as redis:
                key = ApiKeys(redis).create(TENANT, "chaos")
                traffic = Traffic(fleet.url, key, receiver.url, dice, per_second)
                orchestrator = asyncio.create_task(fleet.orchestrate())
                struck = await _trouble(fleet, redis, traffic, planned, seconds)
                drained = await _drain(redis)
                orchestrator.cancel()
                await fleet.stop()
                return _outcome(fleet, redis, receiver, traffic.book, struck, drained)


async def _trouble(
    fleet: Fleet, redis: Redis, traffic: Traffic, planned: Sequence[Planned], seconds: float
) -> list[Struck]:
    """Returns when the time is over, every fault repaired and every client content."""
    struck = list[Struck]()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(traffic.flow(seconds))
        for fault in planned:
            tasks.create_task(_strike(fleet, redis, fault, struck))
    return struck


async def _strike(fleet: Fleet, redis: Redis, fault: Planned, struck: list[Struck]) -> None:
    """At its time, or when what befell the same part before is repaired, which may take long."""
    await asyncio.sleep(fault.at)
    async with fleet.repairs[fault.target]:
        job_id = None
        if fault.kind.blocks == "its job":
            job_id = await asyncio.to_thread(_in_hand, redis, fleet.parts[fault.target].process.pid)
        struck.append(Struck(time.time(), fault.kind, fault.target, job_id))
        await fault.kind.cause(fleet, fault.target, fault.seconds)


def _in_hand(redis: Redis, pid: int) -> str | None:
    """The job that the worker with this process runs, if it does and the store says so."""
    with suppress(StoreUnavailable):
        name = next((state.name for state in WorkerRegistry(redis).all() if state.pid == pid), None)
        running = [job_id.decode() for job_id in Server(redis).command("ZRANGE", Key.RUNNING + TENANT, 0, -1)]
        records = JobStore(redis).get_all(running)
        return next((record.id for record in records if record.worker == name), None)
    return None


async def _drain(redis: Redis) -> float:
    """Wait until the last webhook is confirmed; the seconds it took. Raises `TimeoutError`."""
    began = time.monotonic()
    async with asyncio.timeout(DRAIN_SECONDS):
        while await asyncio.to_thread(_is_open, redis):
            await asyncio.sleep(POLL_SECONDS)
    return time.monotonic() - began


def _is_open(redis: Redis) -> bool:
    """Whether a webhook is still to be sent, or a job to be done."""
    with suppress(StoreUnavailable):
        queued = sum(JobStore(redis).ready_count(model) for model in JobStore(redis).models())
        return bool(queued or redis.zcard(Key.LEASES) or redis.zcard(Key.OUTBOX))
    return True


def _outcome(
    fleet: Fleet, redis: Redis, receiver: Receiver, book: Book, struck: Sequence[Struck], drained: float
) -> Outcome:
    records = _records(redis)
    numbers = {job_id: number for number, job_id in book.accepted.items()}
    jobs = [(book.begun_at[numbers[record.id]], record) for record in records if record.id in numbers]
    return Outcome(
        verdict=judge(book, receiver, records, fleet.folder / "artifacts"),
        violations=violations(redis),
        book=book,
        webhooks=len(receiver.came_at),
        webhooks_failed=receiver.failed,
        recoveries=[(fault, recovery(fault, jobs, receiver.came_at)) for fault in struck],
        starts={name: part.starts for name, part in fleet.parts.items()},
        drain_seconds=drained,
    )


def _records(redis: Redis) -> list[JobRecord]:
    """All there are."""
    store, found, before = JobStore(redis), list[JobRecord](), None
    while True:
        page, before = store.list(TENANT, 100, before)
        found += page
        if before is None:
            return found
