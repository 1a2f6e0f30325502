"""More than there is room for: by one tenant, who delays nobody else, and by all, which is shed."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from redis import Redis

from bench.fairness import jain
from bench.figures import percentile
from job_store.api_keys import ApiKeys
from job_store.jobs import JobStore
from job_store.keys import Key
from job_store.tenants import Limits, Tenants
from job_store.workers import WorkerRegistry
from runtime.valkey import EmbeddedValkey, free_port
from tests.faults.gateways import gateway_of
from tests.figures import Figure
from tests.service.conftest import BODY, CARD, make_settings, put_worker
from tests.workers.fleet import TENANT, Fleet, until

SLOW = "slow 6"
"""Six steps of 0.05 s: an engine of known service time."""
ASKED = {"source": {"kind": "generated", "prompt": "a room"}, "prompt": SLOW, "subject": "slow", "seeds": [1]}
OVERLOAD_SECONDS, LINE = 8.0, 10


@pytest.mark.fault(50)
def test_a_tenant_that_floods_is_told_to_wait_and_others_keep_their_share(
    valkey: EmbeddedValkey, redis: Redis, store: JobStore, tmp_path: Path, figure: Figure
) -> None:
    registry = WorkerRegistry(redis)
    registry.announce(CARD)
    put_worker(registry)
    Tenants(redis, Limits()).put("flood", {"per_minute": 60})
    keys = {tenant: ApiKeys(redis).create(tenant, "test") for tenant in ("flood", "other")}
    with gateway_of(make_settings(valkey, tmp_path / "artifacts"), tmp_path) as gateway:

        def submit(tenant: str) -> httpx.Response:
            headers = {"Authorization": f"Bearer {keys[tenant]}"}
            return httpx.post(f"{gateway.url}/v1/insertions", json=BODY, headers=headers, timeout=60)

        with ThreadPoolExecutor(8) as pool:
            flood = [pool.submit(submit, "flood") for _ in range(160)]
            others = [submit("other") for _ in range(20)]
            answers = [one.result() for one in flood]
    figure(50, "others refused", sum(answer.status_code != 202 for answer in others))
    refused = [answer for answer in answers if answer.status_code != 202]
    assert {(answer.status_code, answer.json()["code"]) for answer in refused} == {(429, "rate_limited")}
    figure(50, "refused of 160 at 60 a minute", len(refused))
    waits = [int(answer.headers["Retry-After"]) for answer in refused]
    figure(50, "shortest Retry-After", min(waits))
    figure(50, "longest Retry-After", max(waits))
    served = Counter[str]()
    while served["other"] < len(others):
        claim = store.claim(CARD.name, "one", 30_000)
        assert claim
        served[claim.record.tenant] += 1
        store.canceled(claim.record.id, claim.token)
    figure(50, "Jain's index of their shares", jain([served["flood"], served["other"]]))


@pytest.fixture
def store(redis: Redis) -> JobStore:
    return JobStore(redis)


@dataclass
class Load:
    """Submits to a gateway; refusals are counted and not repeated."""

    url: str
    key: str
    accepted: list[str] = field(default_factory=list)
    refused_ms: list[float] = field(default_factory=list)

    def run(self, rate: float, seconds: float) -> None:
        """So many a second, evenly, whatever is answered."""
        began = time.monotonic()
        with ThreadPoolExecutor(4) as pool:
            submitted = []
            for number in range(int(rate * seconds)):
                time.sleep(max(0.0, began + number / rate - time.monotonic()))
                submitted.append(pool.submit(self.submit))
        assert all(one.exception() is None for one in submitted), submitted

    def submit(self) -> str | None:
        """The job, if there was room for it."""
        began, headers = time.perf_counter(), {"Authorization": f"Bearer {self.key}"}
        answer = httpx.post(f"{self.url}/v1/insertions", json=ASKED, headers=headers, timeout=60)
        if answer.status_code == 202:
            self.accepted.append(answer.json()["id"])
            return self.accepted[-1]
        assert answer.json()["code"] == "queue_full", answer.text
        assert int(answer.headers["Retry-After"]) >= 1
        self.refused_ms.append(1000 * (time.perf_counter() - began))
        return None


def succeeded(fleet: Fleet) -> int:
    return int(fleet.redis.hget(Key.COUNTS, "succeeded") or 0)


def rated(fleet: Fleet) -> float:
    """Jobs a second while there is always one waiting."""
    ids = [fleet.submit(SLOW) for _ in range(15)]
    fleet.until_ended(ids[0], 60)
    began = time.monotonic()
    fleet.until_ended(ids[-1], 60)
    return (len(ids) - 1) / (time.monotonic() - began)


@pytest.mark.fault(58)
def test_overload_is_shed_and_over_at_once(fleet: Fleet, tmp_path: Path, figure: Figure) -> None:
    fleet.background()
    fleet.workers(1)
    settings = fleet.settings.model_copy(update={"port": free_port(), "max_queued": LINE})
    with gateway_of(settings, tmp_path) as gateway:
        load, rate = Load(gateway.url, ApiKeys(fleet.redis).create(TENANT, "test")), rated(fleet)
        load.run(3 * rate, 2)  # until the line is full
        before, began = succeeded(fleet), time.monotonic()
        load.run(3 * rate, OVERLOAD_SECONDS)
        elapsed = time.monotonic() - began
        done = succeeded(fleet) - before
        ended_at = time.monotonic()
        fleet.until_ended(until(load.submit, 60), 60)
        recovered = time.monotonic() - ended_at
        ended = [fleet.until_ended(job_id, 60).status for job_id in load.accepted]
    print(f"rated {rate:.2f} a second, {len(load.accepted)} accepted")  # noqa: T201
    figure(58, "accepted jobs not done", sum(status != "succeeded" for status in ended))
    figure(58, "refused", len(load.refused_ms))
    figure(58, "refusals at p99", percentile(load.refused_ms, 0.99) / 1000)
    # One is half done at either end.
    figure(58, "of the rated throughput", 100 * (done + 1) / (rate * elapsed))
    figure(58, "recovered", recovered)
