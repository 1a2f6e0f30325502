"""Following a job: everything once, in order, resumable, and an end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest
from redis.asyncio import Redis as AsyncRedis

from api_schemas.events import JobEvent
from job_store.connection import connect_async
from job_store.errors import StoreUnavailable
from job_store.events import follow, wait_for_end
from job_store.jobs import JobStore
from runtime.valkey import EmbeddedValkey, free_port
from tests.job_store.samples import PROGRESS, TENANT, new_job, result, start

T = TypeVar("T")
ALL = ["queued", "started", "stage", "completed"]


def run_with(url: str, do: Callable[[AsyncRedis], Awaitable[T]]) -> T:
    async def run() -> T:
        async with connect_async(url) as redis:
            return await do(redis)

    return asyncio.run(run())


async def collect(redis: AsyncRedis, job_id: str, after: str | None = None) -> list[JobEvent]:
    return [event async for event in follow(redis, job_id, after) if event]


def finished(store: JobStore) -> str:
    claim = start(store)
    store.report(claim.record.id, claim.token, PROGRESS)
    store.commit(claim.record.id, claim.token, result())
    return claim.record.id


def test_an_ended_job_tells_everything_and_ends(store: JobStore, valkey: EmbeddedValkey) -> None:
    job_id = finished(store)
    events = run_with(valkey.url, lambda redis: collect(redis, job_id))
    assert [event.type for event in events] == ALL
    assert [event.id for event in events] == sorted(event.id for event in events)
    assert events[0].at == store.get(job_id).created_at
    assert events[2].data == PROGRESS.model_dump()
    assert events[3].data == {"status": "succeeded"}


def test_every_event_can_be_resumed_after(store: JobStore, valkey: EmbeddedValkey) -> None:
    job_id = finished(store)

    async def resume(redis: AsyncRedis) -> list[list[str]]:
        events = await collect(redis, job_id)
        return [[event.type for event in await collect(redis, job_id, seen.id)] for seen in events]

    assert run_with(valkey.url, resume) == [ALL[1:], ALL[2:], ALL[3:], []]


def test_an_absent_job_has_no_events(store: JobStore, valkey: EmbeddedValkey) -> None:
    assert run_with(valkey.url, lambda redis: collect(redis, "ins_absent")) == []


def test_a_follower_sees_what_happens_while_it_waits(store: JobStore, valkey: EmbeddedValkey) -> None:
    claim = start(store)

    async def live(redis: AsyncRedis) -> list[str]:
        kinds: list[str] = []
        async for event in follow(redis, claim.record.id, None):
            assert event is not None
            kinds.append(event.type)
            if event.type == "started":
                store.report(claim.record.id, claim.token, PROGRESS)
            if event.type == "stage":
                store.commit(claim.record.id, claim.token, result())
        return kinds

    assert run_with(valkey.url, live) == ALL


def test_a_quiet_job_beats_and_a_deleted_one_ends(
    store: JobStore, valkey: EmbeddedValkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("job_store.events.HEARTBEAT_MS", 20)
    record, _ = store.submit(new_job())

    async def quiet(redis: AsyncRedis) -> list[object]:
        seen: list[object] = []
        async for event in follow(redis, record.id, None):
            seen.append(event and event.type)
            if len(seen) == 3:
                store.delete(record.id, TENANT)
        return seen

    assert run_with(valkey.url, quiet) == ["queued", None, None]


def test_waiting_ends_with_the_job_or_with_the_time(store: JobStore, valkey: EmbeddedValkey) -> None:
    claim = start(store)

    async def wait(redis: AsyncRedis, seconds: float) -> float:
        started = time.monotonic()
        await wait_for_end(redis, claim.record.id, seconds)
        return time.monotonic() - started

    async def wait_and_commit(redis: AsyncRedis) -> float:
        waiting = asyncio.create_task(wait(redis, 30))
        await asyncio.to_thread(store.commit, claim.record.id, claim.token, result())
        return await waiting

    assert 0.05 <= run_with(valkey.url, lambda redis: wait(redis, 0.05)) < 5
    assert run_with(valkey.url, wait_and_commit) < 5
    assert run_with(valkey.url, lambda redis: wait(redis, 30)) < 5


def test_a_connection_serves_again_after_a_wait_was_cut_off(store: JobStore, valkey: EmbeddedValkey) -> None:
    record, _ = store.submit(new_job())

    async def cut_off(redis: AsyncRedis) -> list[str]:
        await wait_for_end(redis, record.id, 0.02)
        store.cancel(record.id, TENANT)
        return [event.type for event in await collect(redis, record.id)]

    assert run_with(valkey.url, cut_off) == ["queued", "completed"]


def test_without_a_server_following_fails() -> None:
    with pytest.raises(StoreUnavailable):
        run_with(f"redis://127.0.0.1:{free_port()}", lambda redis: collect(redis, "ins_1"))
