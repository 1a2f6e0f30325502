"""What a job asks of the store over its life: operations, queries and bytes, counted by Valkey itself.

The calls are the service's own: the gateway's routes without a socket before them, and in the worker's place
what supervisor and engine call. RQ's own traffic for a ticket and the webhook's outbox are left out.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr
from redis import Redis

from api_schemas.jobs import Cost, InsertionResult, Progress, ResultImage, Timings
from bench.known_engine import CARD
from job_store.api_keys import ApiKeys
from job_store.connection import connect
from job_store.jobs import JobStore
from job_store.outlook import Outlook
from job_store.workers import WorkerRegistry, WorkerState
from runtime.settings import Settings
from runtime.valkey import embedded_valkey
from service.app import create_app

TENANT, WORKER, LEASE_MS = "acme", "worker", 30_000
STEPS, BEATS = 30, 10
"""Of a job's life: a report each step, a beat each second of ten."""
TRIES = 3
"""Of each kind of call; the least counts. Once a minute a call also notes when its key was last used."""
NOT_A_JOBS = frozenset({"config|resetstat", "info", "ping", "script|load", "client|setinfo"})
"""The counting itself, and what only a new or idle connection costs."""
BODY: Mapping[str, Any] = {
    "source": {"kind": "generated", "prompt": "a photo of a room", "seed": 3},
    "prompt": "a photo of a room with a dog",
    "subject": "dog",
    "seeds": [1],
}


@dataclass
class Traffic:
    """operations: commands run, those within scripts too; queries: round trips; nbytes: in and out."""

    operations: int = 0
    queries: int = 0
    nbytes: int = 0

    def __add__(self, other: Traffic) -> Traffic:
        return Traffic(
            self.operations + other.operations, self.queries + other.queries, self.nbytes + other.nbytes
        )

    def times(self, number: int) -> Traffic:
        """As often."""
        return Traffic(number * self.operations, number * self.queries, number * self.nbytes)


@contextmanager
def counted(redis: Redis) -> Iterator[Traffic]:
    """What is asked in between of a store that nobody else uses."""
    spent = Traffic()
    redis.config_resetstat()
    redis.info("stats")
    before = _stats(redis)
    yield spent
    after, calls = _stats(redis), _calls(redis)
    spent.operations = sum(count for name, count in calls.items() if name not in NOT_A_JOBS)
    spent.queries = after["total_reads_processed"] - before["total_reads_processed"] - 1  # of the counting
    spent.nbytes = sum(
        after[name] - before[name] for name in ("total_net_input_bytes", "total_net_output_bytes")
    )
    spent.nbytes -= _counting_bytes(redis)


def _stats(redis: Redis) -> dict[str, int]:
    told: dict[str, int] = redis.info("stats")
    return told


def _calls(redis: Redis) -> dict[str, int]:
    told: dict[str, Any] = redis.info("commandstats")
    return {name.removeprefix("cmdstat_"): stat["calls"] for name, stat in told.items()}


def _counting_bytes(redis: Redis) -> int:
    """Of one look at the statistics: between two in a row there is nothing else."""
    first, second = _stats(redis), _stats(redis)
    return sum(second[name] - first[name] for name in ("total_net_input_bytes", "total_net_output_bytes"))


def measure_traffic() -> dict[str, Traffic]:
    """By kind of call, and `life`: of a job that is submitted, followed to its end and looked at once."""
    with tempfile.TemporaryDirectory() as folder, embedded_valkey(Path(folder) / "valkey") as server:
        with connect(server.url) as redis:
            settings = Settings(
                _env_file=None,
                redis_url=server.url,
                artifact_url=f"file://{folder}/artifacts",
                signing_secret=SecretStr("of this count"),
            )
            lives = asyncio.run(_lives(settings, redis))
    least = {kind: _least([life[kind] for life in lives]) for kind in lives[0]}
    once = sum((least[kind] for kind in ("submit", "claim", "commit", "poll_ended", "stream")), Traffic())
    return {**least, "life": once + least["beat"].times(BEATS) + least["report"].times(STEPS)}


def _least(some: list[Traffic]) -> Traffic:
    return Traffic(*(min(getattr(one, name) for one in some) for name in ("operations", "queries", "nbytes")))


async def _lives(settings: Settings, redis: Redis) -> list[dict[str, Traffic]]:
    """Of `TRIES` jobs, after one that opens connections and loads scripts."""
    registry, now = WorkerRegistry(redis), datetime.now(UTC)
    registry.announce(CARD)
    registry.put_state(WorkerState(WORKER, CARD.name, "ready", 1, 2, now, now), 600)
    async with _gateway(settings, ApiKeys(redis).create(TENANT, "count")) as gateway:
        return [await _life(gateway, redis) for _ in range(TRIES + 1)][1:]


@asynccontextmanager
async def _gateway(settings: Settings, key: str) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(settings)
    bearer = {"Authorization": f"Bearer {key}"}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway", headers=bearer) as client:
        yield client
    await app.state.gateway.events.close()
    app.state.gateway.redis.close()


async def _life(gateway: httpx.AsyncClient, redis: Redis) -> dict[str, Traffic]:
    store, spent = JobStore(redis), dict[str, Traffic]()
    with counted(redis) as spent["submit"]:
        job = (await gateway.post("/v1/insertions", json=BODY)).raise_for_status().json()
    url = f"/v1/insertions/{job['id']}"
    with counted(redis) as spent["poll_queued"]:
        (await gateway.get(url)).raise_for_status()
    with counted(redis) as spent["claim"]:
        claim = store.claim(CARD.name, WORKER, LEASE_MS)
    assert claim, "it waits"
    with counted(redis) as spent["beat"]:
        store.beat(job["id"], claim.token, LEASE_MS)
    for step in range(STEPS):  # the first is a new stage
        with counted(redis) as spent["report"]:
            progress = Progress(stage="denoise", step=step + 1, total=STEPS, percent=step)
            store.report(job["id"], claim.token, progress)
    with counted(redis) as spent["poll_running"]:
        (await gateway.get(url)).raise_for_status()
    with counted(redis) as spent["commit"]:
        store.commit(job["id"], claim.token, RESULT, STEPS)
        Outlook(redis).note(CARD.name, claim.record.shape or "", claim.record.work, 10.0)
    with counted(redis) as spent["poll_ended"]:
        (await gateway.get(url)).raise_for_status()
    with counted(redis) as spent["stream"]:
        (await gateway.get(f"{url}/events")).raise_for_status()
    return spent


RESULT = InsertionResult(
    images=[
        ResultImage(
            seed=1, url="t/acme/j/ins_1/a/0.png", mask_url="t/acme/j/ins_1/a/mask.png", width=64, height=64,
            subject_found=True, extended_scale=1.05,
        )
    ],
    timings=Timings(denoise=10.0),
    cost=Cost(forwards=STEPS, gpu_seconds=10.0, source_memory="miss"),
)  # fmt: skip
