"""How evenly tenants are served while one floods: `python -m bench.fairness`. Real claims, no engines."""

from __future__ import annotations

import tempfile
import time
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import typer
from redis import Redis

from api_schemas.base import new_id
from api_schemas.insertions import GeneratedSource, InsertionRequest, Options
from api_schemas.jobs import Cost, InsertionResult, Timings
from bench.figures import Figures, percentile
from bench.report import JsonFile, report
from job_store.connection import connect
from job_store.jobs import JobStore
from job_store.records import Claim, NewJob
from job_store.tenants import Limits, Tenants, work_of
from runtime.valkey import embedded_valkey

MODEL, STEPS, LEASE_MS = "bench", 30, 60_000
FLOODER, FLOOD = "flood", 2_000
RESULT = InsertionResult(
    images=[], timings=Timings(), cost=Cost(forwards=0, gpu_seconds=0, source_memory="none")
)


@dataclass(frozen=True)
class Tenant:
    """Submits so many jobs after the flood, of so many seeds each, at most `at_once` in the system."""

    name: str
    jobs: int
    weight: float = 1
    seeds: int = 1
    at_once: int = FLOOD


@dataclass(frozen=True)
class Served:
    """Work done for each while all had some, and the seconds of each claim."""

    work: Mapping[str, float]
    seconds: Sequence[float]


def others(at_once: int = FLOOD) -> tuple[Tenant, ...]:
    """Three that submit a little, after 2,000 jobs of the fourth."""
    return Tenant(FLOODER, FLOOD), *(Tenant(name, 20, at_once=at_once) for name in ("one", "two", "three"))


SCENARIOS: Mapping[str, Sequence[Tenant]] = {
    "equal weights": others(),
    "one job at a time": others(at_once=1),
    "weights 1 1 2 4": [
        Tenant(FLOODER, FLOOD),
        Tenant("one", 20),
        Tenant("two", 40, 2),
        Tenant("three", 80, 4),
    ],
    "the flood has 4 seeds a job": (Tenant(FLOODER, FLOOD, seeds=4), *others()[1:]),
}


def jain(shares: Sequence[float]) -> float:
    """Jain's index: 1 if all are equal, 1 / n if one has everything (Jain, Chiu and Hawe 1984)."""
    return sum(shares) ** 2 / (len(shares) * sum(share * share for share in shares))


def index_of(tenants: Sequence[Tenant], work: Mapping[str, float]) -> float:
    """Over the work done for each by its weight."""
    return jain([work[tenant.name] / tenant.weight for tenant in tenants])


def run(redis: Redis, tenants: Sequence[Tenant], workers: int = 4) -> Served:
    """Serve all by claims of `workers` that take turns, as long as every tenant has a job in the system."""
    store, claims = JobStore(redis), deque[Claim]()
    left = {tenant.name: tenant.jobs for tenant in tenants}
    present, work, seconds = Counter[str](), Counter[str](), list[float]()
    for tenant in tenants:
        Tenants(redis, Limits()).put(tenant.name, {"weight": tenant.weight})
    while True:
        for tenant in tenants:
            while left[tenant.name] and present[tenant.name] < tenant.at_once:
                store.submit(_job(tenant))
                left[tenant.name] -= 1
                present[tenant.name] += 1
        if not all(present[tenant.name] for tenant in tenants):
            return Served(work, seconds)
        began = time.perf_counter()
        claim = store.claim(MODEL, f"worker-{len(seconds) % workers}", LEASE_MS)
        seconds.append(time.perf_counter() - began)
        assert claim, "there is work"
        claims.append(claim)
        work[claim.record.tenant] += work_of(claim.record.request)
        if len(claims) == workers:
            done = claims.popleft()
            store.commit(done.record.id, done.token, RESULT)
            present[done.record.tenant] -= 1


def _job(tenant: Tenant) -> NewJob:
    request = InsertionRequest(
        source=GeneratedSource(kind="generated", prompt=f"a room of {tenant.name}"),
        prompt="a dog in a room",
        subject="dog",
        seeds=list(range(tenant.seeds)),
        options=Options(num_inference_steps=STEPS),
    )
    return NewJob(new_id("ins"), tenant.name, MODEL, request, source_key=None)


def measure() -> Figures:
    """All scenarios, beside what first come, first served would have given."""
    rows, values = [], dict[str, object]()
    for name, tenants in SCENARIOS.items():
        with tempfile.TemporaryDirectory() as folder, embedded_valkey(Path(folder)) as server:
            with connect(server.url) as redis:
                served = run(redis, tenants)
        index, middle = index_of(tenants, served.work), 1000 * percentile(list(served.seconds), 0.5)
        shares = " ".join(f"{served.work[tenant.name] / STEPS:.0f}" for tenant in tenants)
        rows.append([name, f"{index:.4f}", f"{1 / len(tenants):.2f}", shares, f"{middle:.2f}"])
        values[name] = {
            "index": index,
            "work": dict(served.work),
            "claim_ms": middle,
        }
    columns = [
        "while all have work",
        "Jain's index",
        "first come",
        "seeds served (flood first)",
        "claim p50 ms",
    ]
    return Figures(f"Fairness under a flood of {FLOOD} jobs", columns, rows, values)


def main(file: JsonFile = Path("bench-results/fairness.json")) -> None:
    """Print the table, write the values."""
    report("fairness", measure(), file, docs=False)


if __name__ == "__main__":
    typer.run(main)
