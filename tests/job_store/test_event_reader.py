"""Following a job: everything once, in order, resumable, and an end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest
from redis import Redis

from api_schemas.events import JobEvent
from job_store.connection import FOLLOWING, connect_async, connect_blocking
from job_store.errors import StoreUnavailable
from job_store.event_reader import EventReader
from job_store.jobs import JobStore
from runtime.valkey import EmbeddedValkey, free_port
from tests.job_store.samples import PROGRESS, TENANT, new_job, result, start

T = TypeVar("T")
ALL = ["queued", "started", "stage", "completed"]


def run_with(url: str, do: Callable[[EventReader], Awaitable[T]]) -> T:
    async def run() -> T:
        reader = EventReader(connect_async(url), connect_blocking(url))
        try:
            return await do(reader)
        finally:
            await reader.close()

    return asyncio.run(run())


async def collect(reader: EventReader, job_id: str, after: str | None = None) -> list[JobEvent]:
    return [event async for event in reader.follow(job_id, after) if event]


def finished(store: JobStore) -> str:
    claim = start(store)
    store.report(claim.record.id, claim.token, PROGRESS)
    store.commit(claim.record.id, claim.token, result())
    return claim.record.id


def test_an_ended_job_tells_everything_and_ends(store: JobStore, valkey: EmbeddedValkey) -> None:
    job_id = finished(store)
    events = run_with(valkey.url, lambda reader: collect(reader, job_id))
    assert [event.type for event in events] == ALL
    assert [event.id for event in events] == sorted(event.id for event in events)
    assert events[0].at == store.get(job_id).created_at
    assert events[2].data == PROGRESS.model_dump()
    assert events[3].data == {"status": "succeeded"}


def test_every_event_can_be_resumed_after(store: JobStore, valkey: EmbeddedValkey) -> None:
    job_id = finished(store)

    async def resume(reader: EventReader) -> list[list[str]]:
        events = await collect(reader, job_id)
        return [[event.type for event in await collect(reader, job_id, seen.id)] for seen in events]

    assert run_with(valkey.url, resume) == [ALL[1:], ALL[2:], ALL[3:], []]


def test_an_absent_job_has_no_events(store: JobStore, valkey: EmbeddedValkey) -> None:
    assert run_with(valkey.url, lambda reader: collect(reader, "ins_absent")) == []


def test_a_follower_sees_what_happens_while_it_waits(store: JobStore, valkey: EmbeddedValkey) -> None:
    claim = start(store)

    async def live(reader: EventReader) -> list[str]:
        kinds: list[str] = []
        async for event in reader.follow(claim.record.id, None):
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
    monkeypatch.setattr("job_store.event_reader.HEARTBEAT_SECONDS", 0.02)
    record, _ = store.submit(new_job())

    async def quiet(reader: EventReader) -> list[object]:
        seen: list[object] = []
        async for event in reader.follow(record.id, None):
            seen.append(event and event.type)
            if len(seen) == 3:
                store.delete(record.id, TENANT)
        return seen

    assert run_with(valkey.url, quiet) == ["queued", None, None]


def test_waiting_ends_with_the_job_or_with_the_time(store: JobStore, valkey: EmbeddedValkey) -> None:
    claim = start(store)

    async def wait(reader: EventReader, seconds: float) -> float:
        started = time.monotonic()
        await reader.wait_for_end(claim.record.id, seconds)
        return time.monotonic() - started

    async def wait_and_commit(reader: EventReader) -> float:
        waiting = asyncio.create_task(wait(reader, 30))
        await asyncio.to_thread(store.commit, claim.record.id, claim.token, result())
        return await waiting

    assert 0.05 <= run_with(valkey.url, lambda reader: wait(reader, 0.05)) < 5
    assert run_with(valkey.url, wait_and_commit) < 5
    assert run_with(valkey.url, lambda reader: wait(reader, 30)) < 5


def test_a_reader_serves_again_after_a_wait_was_cut_off(store: JobStore, valkey: EmbeddedValkey) -> None:
    record, _ = store.submit(new_job())

    async def cut_off(reader: EventReader) -> list[str]:
        await reader.wait_for_end(record.id, 0.02)
        store.cancel(record.id, TENANT)
        return [event.type for event in await collect(reader, record.id)]

    assert run_with(valkey.url, cut_off) == ["queued", "completed"]


def test_many_followers_share_few_connections(store: JobStore, valkey: EmbeddedValkey, redis: Redis) -> None:
    records = [store.submit(new_job())[0] for _ in range(40)]
    before = len(redis.client_list())

    async def follow_all(reader: EventReader) -> int:
        following = [asyncio.create_task(collect(reader, record.id)) for record in records * 5]
        while reader.listening < len(following):
            await asyncio.sleep(0.01)
        open_now = await asyncio.to_thread(lambda: len(redis.client_list()))
        for record in records:
            await asyncio.to_thread(store.cancel, record.id, TENANT)
        for events in await asyncio.gather(*following):
            assert [event.type for event in events] == ["queued", "completed"]
        assert reader.listening == 0
        return open_now

    assert run_with(valkey.url, follow_all) - before <= FOLLOWING + 1


def test_followers_of_one_job_see_the_same_whenever_they_came(
    store: JobStore, valkey: EmbeddedValkey
) -> None:
    claim = start(store)

    async def follow(reader: EventReader) -> list[list[JobEvent]]:
        following = []
        for step in range(20):
            following.append(asyncio.create_task(collect(reader, claim.record.id)))
            progress = PROGRESS.model_copy(update={"step": step})
            await asyncio.to_thread(store.report, claim.record.id, claim.token, progress)
        await asyncio.to_thread(store.commit, claim.record.id, claim.token, result())
        return await asyncio.gather(*following)

    first, *others = run_with(valkey.url, follow)
    assert first[-1].type == "completed"
    assert len({event.id for event in first}) == len(first) == 23
    assert all(events == first for events in others)


def test_an_id_of_the_future_delays_nobody_else(store: JobStore, valkey: EmbeddedValkey) -> None:
    claim = start(store)

    async def follow(reader: EventReader) -> list[JobEvent]:
        odd = asyncio.create_task(collect(reader, claim.record.id, "99999999999999-0"))
        while not reader.listening:
            await asyncio.sleep(0.01)
        following = asyncio.create_task(collect(reader, claim.record.id))
        await asyncio.to_thread(store.commit, claim.record.id, claim.token, result())
        events = await asyncio.wait_for(following, 10)
        odd.cancel()
        return events

    assert [event.type for event in run_with(valkey.url, follow)] == ["queued", "started", "completed"]


def test_a_follower_outlives_a_store_that_breaks_the_line(
    store: JobStore, valkey: EmbeddedValkey, redis: Redis
) -> None:
    claim = start(store)

    async def follow(reader: EventReader) -> list[JobEvent]:
        following = asyncio.create_task(collect(reader, claim.record.id))
        while not reader.listening:
            await asyncio.sleep(0.01)
        for step in range(5):
            await asyncio.to_thread(redis.client_kill_filter, _type="normal", skipme=True)
            progress = PROGRESS.model_copy(update={"step": step})
            await asyncio.to_thread(store.report, claim.record.id, claim.token, progress)
        await asyncio.to_thread(store.commit, claim.record.id, claim.token, result())
        return await asyncio.wait_for(following, 10)

    kinds = [event.type for event in run_with(valkey.url, follow)]
    assert kinds == ["queued", "started", "stage", *["progress"] * 4, "completed"]


def test_without_a_server_following_fails() -> None:
    with pytest.raises(StoreUnavailable):
        run_with(f"redis://127.0.0.1:{free_port()}", lambda reader: collect(reader, "ins_1"))
