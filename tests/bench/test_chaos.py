"""Chaos in small: each kind of fault once or twice, and the parts that it is made of."""

from __future__ import annotations

import asyncio
import dataclasses
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bench.chaos.__main__ import figures_of
from bench.chaos.faults import KINDS, Kind, Planned, nothing, plan
from bench.chaos.proxy import Cable
from bench.chaos.receiver import Receiver
from bench.chaos.run import run
from bench.chaos.traffic import Book
from bench.chaos.verdict import Struck, judge, recovery
from job_store.jobs import JobStore
from job_store.records import JobRecord
from runtime.valkey import EmbeddedValkey
from tests.figures import Figure
from tests.job_store.samples import TENANT, result, start

SEED, SECONDS = 6, 20
FAULTS = (
    "worker killed", "gateway cut off", "engine killed", "store killed", "reply to the gateway lost",
    "background killed", "gateway killed", "worker's cable silent beyond its lease",
)  # fmt: skip


@pytest.mark.fault(1)
def test_twenty_seconds_of_chaos_lose_and_double_nothing(tmp_path: Path, figure: Figure) -> None:
    kinds = {kind.name: kind for kind in KINDS}
    planned = [
        Planned(2.0 * (at + 1), kinds[name], kinds[name].targets[0], kinds[name].seconds[0])
        for at, name in enumerate(FAULTS)
    ]
    outcome = asyncio.run(run(tmp_path, planned, SECONDS, per_second=3, seed=SEED))
    verdict = outcome.verdict
    print(verdict.lost, verdict.doubled, verdict.strays, outcome.violations)  # noqa: T201
    figure(1, "violations found by the audit", len(outcome.violations))
    figure(1, "lost in chaos", len(verdict.lost))
    figure(1, "done twice in chaos", len(verdict.doubled))
    figure(1, "files left over from chaos", len(verdict.strays))
    assert verdict.accepted == len(outcome.book.accepted) > SECONDS
    assert sum(verdict.finished.values()) == verdict.accepted
    assert {struck.kind.name for struck, _ in outcome.recoveries} == set(FAULTS)
    assert outcome.starts["gateway"] == outcome.starts["background"] == outcome.starts["worker-1"] == 2
    assert outcome.webhooks_failed > 0
    shown = figures_of(outcome, SEED, SECONDS / 60, [1.0])
    assert {row[0] for row in shown.rows} > {"lost", "doubled", *FAULTS}


def test_a_seed_gives_one_plan_in_which_nothing_is_struck_twice_at_once() -> None:
    planned = plan(random.Random(1), 60, 5)
    assert planned == plan(random.Random(1), 60, 5) != plan(random.Random(2), 60, 5)
    assert {fault.kind.name for fault in planned} == {kind.name for kind in KINDS}
    for target in {fault.target for fault in planned}:
        suffered = [fault for fault in planned if fault.target == target]
        assert all(
            one.at + one.seconds < other.at for one, other in zip(suffered, suffered[1:], strict=False)
        )


def on_a_cable(valkey: EmbeddedValkey, use: Callable[[Cable, Redis], Awaitable[None]]) -> None:
    async def with_cable() -> None:
        cable = Cable(valkey.port)
        url = f"redis://127.0.0.1:{await cable.lay()}/0"
        async with Redis.from_url(url, socket_timeout=0.5, retry=None) as redis:
            await use(cable, redis)
        cable.remove()

    asyncio.run(with_cable())


def test_a_cut_cable_resets_connections_until_it_is_mended(valkey: EmbeddedValkey) -> None:
    async def use(cable: Cable, redis: Redis) -> None:
        assert await redis.ping()
        cable.cut()
        with pytest.raises(RedisError):
            await redis.ping()
        cable.mend()
        assert await redis.ping()

    on_a_cable(valkey, use)


def test_what_is_asked_of_a_held_cable_comes_through_later(valkey: EmbeddedValkey) -> None:
    async def use(cable: Cable, redis: Redis) -> None:
        await redis.delete("held")
        cable.hold()
        with pytest.raises(RedisError):
            await redis.incr("held")
        cable.mend()
        assert await redis.ping()

    on_a_cable(valkey, use)


def test_a_lost_reply_is_of_something_that_was_done(valkey: EmbeddedValkey) -> None:
    async def use(cable: Cable, redis: Redis) -> None:
        await redis.delete("told")
        cable.lose_reply()
        with suppress(RedisError):
            await redis.incr("told")
        assert int(cast(bytes, await redis.get("told"))) == 1

    on_a_cable(valkey, use)


@pytest.fixture
def record(store: JobStore) -> JobRecord:
    """A job of order 7 that succeeded."""
    claim = start(store, metadata={"order": 7})
    store.commit(claim.record.id, claim.token, result(f"t/{TENANT}/j/{claim.record.id}/{claim.token}/0.png"))
    return store.get(claim.record.id)


@pytest.fixture
def store(redis) -> JobStore:
    return JobStore(redis)


def stored(record: JobRecord, folder: Path) -> Path:
    """The attempt's folder, with the files that its result names."""
    assert record.result is not None
    for image in record.result.images:
        for key in (image.url, image.mask_url):
            file = folder / str(key)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"a picture")
    return file.parent


def heard(record: JobRecord, *ids: str) -> Receiver:
    receiver = Receiver(random.Random(0))
    receiver.taken[record.id].update(ids)
    return receiver


def test_what_is_as_it_was_promised_is_found_sound(record: JobRecord, tmp_path: Path) -> None:
    stored(record, tmp_path)
    book = Book(accepted={7: record.id}, seen={record.id: "succeeded"})
    verdict = judge(book, heard(record, "msg_1"), [record], tmp_path)
    assert (verdict.lost, verdict.doubled, verdict.strays) == ([], [], [])
    assert (verdict.accepted, verdict.finished) == (1, {"succeeded": 1})


def test_every_way_to_lose_or_double_is_found(record: JobRecord, tmp_path: Path) -> None:
    other = dataclasses.replace(record, id="ins_other")
    book = Book(accepted={7: record.id, 8: "ins_gone"}, seen={record.id: "failed"})
    verdict = judge(book, heard(record, "msg_1", "msg_2"), [record, other], tmp_path)
    for sentence in ("is gone", "was seen failed", "never came", "is missing"):
        assert any(sentence in found for found in verdict.lost), sentence
    assert [found.split(":")[0] for found in verdict.doubled] == ["order 7", record.id]
    stray = stored(record, tmp_path).parent / "another" / "0.png"
    stray.parent.mkdir()
    stray.write_bytes(b"a picture")
    assert judge(book, heard(record), [record], tmp_path).strays == [f"{record.id}: another"]


def test_recovery_ends_with_what_the_fault_could_have_blocked(record: JobRecord) -> None:
    at = 1000.0

    def done(seconds: float, asked: float, job_id: str = "ins_x") -> tuple[float, JobRecord]:
        ended = datetime.fromtimestamp(at + seconds, UTC)
        return at + asked, dataclasses.replace(record, id=job_id, completed_at=ended)

    jobs = [done(1, asked=-2), done(4, asked=1), done(6, asked=-1, job_id="ins_held")]
    new, held = Kind("", nothing, (), "new jobs"), Kind("", nothing, (), "its job")
    assert recovery(Struck(at, new, "gateway"), jobs, []) == 4
    assert recovery(Struck(at, held, "worker-1", "ins_held"), jobs, []) == 6
    assert recovery(Struck(at, held, "worker-1", None), jobs, []) == 4
    assert recovery(Struck(at, held, "worker-1", "ins_never"), jobs, []) is None
    assert recovery(Struck(at, Kind("", nothing, (), "webhooks"), "background"), jobs, [at - 1, at + 3]) == 3
