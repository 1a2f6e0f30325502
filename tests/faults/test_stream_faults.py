"""Whoever follows a job hears of its end, whatever breaks on the way: the reader, the store, the gateway."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count

import httpx
import pytest
from redis import Redis

from api_schemas.events import JobEvent
from api_schemas.insertions import InsertionRequest
from api_schemas.jobs import Cost, InsertionResult, Progress, Timings
from client.client import Addit
from job_store.api_keys import ApiKeys
from job_store.connection import connect
from job_store.jobs import JobStore
from job_store.keys import Key
from job_store.records import Claim
from job_store.server import Server
from job_store.workers import WorkerRegistry
from runtime.valkey import EmbeddedValkey, embedded_valkey
from tests.faults.gateways import GatewayProcess, gateway_of
from tests.figures import Figure
from tests.service.conftest import BODY, CARD, make_settings, put_worker
from tests.workers.fleet import until

RESULT = InsertionResult(
    images=[], timings=Timings(), cost=Cost(forwards=1, gpu_seconds=1, source_memory="none")
)


@dataclass
class Place:
    """A store and a gateway to break, and a client."""

    valkey: EmbeddedValkey
    gateway: GatewayProcess
    redis: Redis
    store: JobStore
    key: str


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("streams")
    with ExitStack() as stack:
        valkey = stack.enter_context(embedded_valkey(folder / "valkey"))
        redis: Redis = stack.enter_context(connect(valkey.url))
        gateway = stack.enter_context(gateway_of(make_settings(valkey, folder / "artifacts"), folder))
        yield Place(valkey, gateway, redis, JobStore(redis), ApiKeys(redis).create("acme", "test"))


@pytest.fixture
def claim(place: Place) -> Claim:
    """A job that runs, as its worker sees it."""
    registry = WorkerRegistry(place.redis)
    registry.announce(CARD)
    put_worker(registry)
    with Addit(place.gateway.url, place.key) as addit:
        job = addit.submit(InsertionRequest.model_validate(BODY))
    claim = place.store.claim(CARD.name, "one", 600_000)
    assert claim
    assert claim.record.id == job.id
    return claim


def report(place: Place, claim: Claim, step: int) -> None:
    progress = Progress(stage="denoise", step=step, total=100, percent=step)
    place.store.report(claim.record.id, claim.token, progress)


def ids_in_the_store(place: Place, job_id: str) -> list[str]:
    return [
        entry.decode() for entry, _ in Server(place.redis).command("XRANGE", Key.EVENTS + job_id, "-", "+")
    ]


def kill_the_store(place: Place) -> None:
    Server(place.redis).command("WAITAOF", 1, 0, 1000)  # what is acknowledged is on the disk
    place.valkey.kill()
    place.valkey.restart()


def kill_the_gateway(place: Place) -> None:
    place.gateway.kill()
    place.gateway.start_again()


def break_the_lines(place: Place) -> None:
    place.redis.client_kill_filter(_type="normal", skipme=True)


BREAKS: dict[str, Callable[[Place], None]] = {
    "the store's connections are cut": break_the_lines,
    "the store is killed": kill_the_store,
    "the gateway is killed": kill_the_gateway,
    "the gateway is restarted": lambda place: place.gateway.restart(),
}


@pytest.mark.fault(56)
@pytest.mark.parametrize("name", BREAKS)
def test_no_event_is_missed(place: Place, claim: Claim, name: str, figure: Figure) -> None:
    seen: list[JobEvent] = []

    def follow() -> None:
        with Addit(place.gateway.url, place.key) as addit:
            seen.extend(iter_into(seen, addit.events(claim.record.id)))

    with ThreadPoolExecutor() as pool:
        following = pool.submit(follow)
        report(place, claim, 1)
        until(lambda: len(seen) >= 3, 30)
        BREAKS[name](place)
        broken_at = time.monotonic()
        report(place, claim, 2)
        place.store.commit(claim.record.id, claim.token, RESULT)
        following.result(60)
    figure(56, "end heard", time.monotonic() - broken_at)
    stored = ids_in_the_store(place, claim.record.id)
    figure(56, "events missed", len(set(stored) - {event.id for event in seen}))
    assert [event.id for event in seen] == stored
    assert [event.type for event in seen] == ["queued", "started", "stage", "progress", "completed"]


def iter_into(seen: list[JobEvent], events: Iterator[JobEvent]) -> Iterator[JobEvent]:
    """Nothing; the events are put in as they come."""
    for event in events:
        seen.append(event)
    yield from ()


@pytest.mark.fault(56)
def test_a_reader_that_breaks_off_after_every_event_misses_none(
    place: Place, claim: Claim, figure: Figure
) -> None:
    url = f"{place.gateway.url}/v1/insertions/{claim.record.id}/events"
    headers, ids, steps = {"Authorization": f"Bearer {place.key}"}, [], count(1)
    while True:
        with httpx.stream("GET", url, headers=headers, timeout=30) as answer:
            found = next((line for line in answer.iter_lines() if line.startswith("id: ")), None)
        if found is None:  # behind the last
            break
        ids.append(found.removeprefix("id: "))
        headers["Last-Event-ID"] = ids[-1]
        if (step := next(steps)) < 5:
            report(place, claim, step)
        elif step == 5:
            place.store.commit(claim.record.id, claim.token, RESULT)
    stored = ids_in_the_store(place, claim.record.id)
    figure(56, "events missed", len(set(stored) - set(ids)))
    assert ids == stored
    assert len(ids) == 2 + 4 + 1
