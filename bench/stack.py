"""A whole local stack with engines of known service times, and what benchmarks do to it: hold its workers,
see the line run empty, and compare what was accepted with what became of it."""

from __future__ import annotations

import asyncio
import resource
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis import Redis

from api_schemas.base import new_id
from api_schemas.insertions import InsertionRequest
from bench.known_engine import CARD, TOLD
from job_store import tickets
from job_store.api_keys import ApiKeys
from job_store.audit import lasting_violations
from job_store.connection import connect
from job_store.errors import WrongState
from job_store.jobs import LIST_SCANNED, JobStore
from job_store.keys import Key
from job_store.operations import Operations
from job_store.records import NewJob
from job_store.tenants import Limits
from job_store.workers import WorkerRegistry
from runtime.settings import Settings
from runtime.up import Stack, local_stack

UNBOUNDED = 1_000_000
NO_LIMITS = Limits(max_running=UNBOUNDED, max_queued=UNBOUNDED, per_minute=UNBOUNDED)
HOLDER = "holder"
HELD_SECONDS, HELD_STEPS = 90, 100
"""Of a job that holds a worker: it can be stopped within a second."""
LOOK_SECONDS = 0.05
PATIENCE_SECONDS = 600.0
TENANTS = 20


@dataclass(frozen=True)
class Bed:
    """A ready stack. keys: one of each tenant."""

    stack: Stack
    redis: Redis
    keys: Sequence[str]

    @property
    def jobs(self) -> JobStore:
        """Its jobs."""
        return JobStore(self.redis, UNBOUNDED, NO_LIMITS)

    def key(self, number: int) -> str:
        """Tenants in turn."""
        return self.keys[number % len(self.keys)]

    def tenant(self, number: int) -> str:
        """Whose key that is."""
        return _tenant(number % len(self.keys))

    def counts(self) -> Counts:
        """Jobs ever, but for those that held workers."""
        told, (held, _) = self.jobs.counts(), self.jobs.list(HOLDER, LIST_SCANNED)
        done = sum(job.status == "succeeded" for job in held)
        return Counts(told.get("accepted", 0) - len(held), told.get("succeeded", 0) - done)

    def pause(self, paused: bool) -> None:
        """Whether jobs may start."""
        operations = Operations(self.redis)
        (operations.pause if paused else operations.resume)(CARD.name)

    def waiting(self) -> int:
        """Jobs in line."""
        return self.jobs.ready_count(CARD.name)

    def at_rest(self) -> bool:
        """Whether no job waits or runs."""
        return not (self.waiting() or self.redis.zcard(Key.LEASES))

    def wait_at_rest(self, seconds: float = PATIENCE_SECONDS) -> float:
        """Until so; the seconds it took. Raises `TimeoutError`."""
        began = time.monotonic()
        until(self.at_rest, seconds)
        return time.monotonic() - began

    def wait_for_workers(self, count: int, seconds: float = PATIENCE_SECONDS) -> None:
        """Until so many are ready. Raises `TimeoutError`, `StackFailed`."""
        registry = WorkerRegistry(self.redis)

        def ready() -> bool:
            self.stack.check()
            return sum(one.state in ("ready", "busy") for one in registry.live(CARD.name)) >= count

        until(ready, seconds)

    @contextmanager
    def held(self, workers: int) -> Iterator[None]:
        """So many workers are busy while the context lasts, `HELD_SECONDS` at most."""
        fields = {"options": {"num_inference_steps": HELD_STEPS}}
        ids = [self.submit(HELD_SECONDS, number, HOLDER, **fields) for number in range(workers)]
        until(lambda: all(job.status == "running" for job in self.jobs.get_all(ids)), 60)
        try:
            yield
        finally:
            for job_id in ids:
                with suppress(WrongState):  # it took long here
                    self.jobs.cancel(job_id, HOLDER)

    def submit(self, seconds: float, number: int, tenant: str = HOLDER, **fields: Any) -> str:
        """A job past the gateway; its id."""
        request = InsertionRequest.model_validate(body(seconds, number, **fields))
        job = NewJob(new_id("ins"), tenant, CARD.name, request, source_key=None)
        self.jobs.submit(job)
        tickets.issue(self.redis, CARD.name)
        return job.id

    def broken(self) -> list[str]:
        """Promises that were not kept, as the audit says. At rest."""
        return lasting_violations(self.redis)


@dataclass(frozen=True)
class Counts:
    """Jobs that were accepted, and those that ended well."""

    accepted: int
    succeeded: int


@dataclass(frozen=True)
class Balance:
    """What became of the jobs that clients were told of: lost ones never succeeded. doubled: jobs that nobody
    was told of; broken: promises, as the audit says."""

    told: int
    lost: int
    doubled: int
    broken: Sequence[str] = ()


def balance(before: Counts, after: Counts, told: int, broken: Sequence[str] = ()) -> Balance:
    """At rest, of so many jobs that clients were told of in between."""
    accepted, succeeded = after.accepted - before.accepted, after.succeeded - before.succeeded
    return Balance(told, max(0, told - succeeded), max(0, accepted - told), broken)


def _tenant(number: int) -> str:
    return f"tenant-{number}"


def body(seconds: float, number: int, **fields: Any) -> dict[str, Any]:
    """A request that an engine works on for so long, in two steps; each has a source of its own."""
    return {
        "source": {"kind": "generated", "prompt": "a photo of a room", "seed": number},
        "prompt": "a photo of a room with a dog",
        "subject": "dog",
        "seeds": [1],
        "deadline_seconds": 86_400,
        "options": {"num_inference_steps": 2, "structure_transfer_step": 0, "blend_steps": [1]},
        "metadata": {TOLD: seconds, "number": number},
    } | fields


def until(wanted: Callable[[], bool], seconds: float) -> None:
    """Raises `TimeoutError` if it is not so within these seconds."""
    ends_at = time.monotonic() + seconds
    while not wanted():
        if time.monotonic() > ends_at:
            raise TimeoutError(f"not within {seconds:g} s")
        time.sleep(LOOK_SECONDS)


async def until_so(wanted: Callable[[], bool], seconds: float) -> None:
    """The same where others run meanwhile."""
    await asyncio.to_thread(until, wanted, seconds)


@contextmanager
def timed_stack(workers: int, **changes: Any) -> Iterator[Bed]:
    """A ready one in a folder of its own, with no limits on tenants but those of `changes` (settings)."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # a stream is a descriptor on either side
    given: dict[str, Any] = {
        "port": 0, "runner": "bench.known_engine:load", "model": CARD.name, "log_level": "WARNING",
        "max_queued": UNBOUNDED, "tenant_max_queued": UNBOUNDED, "tenant_per_minute": UNBOUNDED,
        "tenant_max_running": UNBOUNDED, "allow_loopback_egress": True, "threads": 1,
    }  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="addit-bench-") as folder:
        with local_stack(Path(folder), Settings(**given | changes), workers) as stack:
            stack.wait_until_ready()
            with connect(stack.settings.redis_url) as redis:
                keys = ApiKeys(redis)
                bed = Bed(stack, redis, [keys.create(_tenant(n), "bench") for n in range(TENANTS)])
                bed.wait_for_workers(workers)
                yield bed
