"""Claiming, fencing and ending: what workers do with jobs."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from redis import Redis

from api_schemas.errors import JobError
from api_schemas.jobs import Progress
from job_store.errors import NotFound, StaleToken, WrongState
from job_store.jobs import AHEAD_MS, HEAD_START_MS, REMEMBERED_MS, JobStore
from job_store.records import SCHEMA, Claim
from job_store.server import Server
from tests.job_store.samples import (
    LEASE_MS,
    MAX_CRASHES,
    MODEL,
    PROGRESS,
    TENANT,
    WORKER,
    events_of,
    must,
    new_job,
    pass_time,
    result,
    start,
)

ERROR = JobError(code="internal", message="broken")
Act = Callable[[JobStore, Claim], object]
ACTS: dict[str, Act] = {
    "beat": lambda store, claim: store.beat(claim.record.id, claim.token, LEASE_MS),
    "report": lambda store, claim: store.report(claim.record.id, claim.token, PROGRESS),
    "commit": lambda store, claim: store.commit(claim.record.id, claim.token, result()),
    "fail": lambda store, claim: store.fail(claim.record.id, claim.token, ERROR),
    "canceled": lambda store, claim: store.canceled(claim.record.id, claim.token),
    "release": lambda store, claim: store.release(claim.record.id, claim.token, crashed=True, max_crashes=1),
}
ENDS = {"commit": "succeeded", "fail": "failed", "canceled": "canceled"}


def test_a_claim_starts_the_job(store: JobStore) -> None:
    record, _ = store.submit(new_job())
    claim = must(store.claim(MODEL, WORKER, LEASE_MS))
    assert (claim.record.id, claim.record.status, claim.record.attempts) == (record.id, "running", 1)
    assert claim.record.worker == WORKER
    assert claim.record.started_at is not None
    assert store.get(record.id) == claim.record
    assert store.claim(MODEL, WORKER, LEASE_MS) is None
    store.submit(new_job(model="large"))
    assert store.claim(MODEL, WORKER, LEASE_MS) is None


def test_the_line_is_first_come_first_served(store: JobStore) -> None:
    records = [store.submit(new_job())[0] for _ in range(5)]
    assert [must(store.claim(MODEL, WORKER, LEASE_MS)).record.id for _ in records] == [r.id for r in records]


def test_interactive_goes_before_bulk_until_bulk_has_aged(store: JobStore, redis: Redis) -> None:
    old, young = (store.submit(new_job(priority="bulk"))[0].id for _ in range(2))
    pass_time(redis, old, HEAD_START_MS["bulk"] + 1)
    pass_time(redis, young, HEAD_START_MS["bulk"] - 1000)
    interactive = store.submit(new_job())[0].id
    order = [must(store.claim(MODEL, WORKER, LEASE_MS)).record.id for _ in range(3)]
    assert order == [old, interactive, young]


def test_many_workers_share_jobs_without_doubling(store: JobStore) -> None:
    ids = {store.submit(new_job())[0].id for _ in range(60)}

    def work(worker: int) -> list[Claim]:
        claims = []
        while claim := store.claim(MODEL, f"worker-{worker}", LEASE_MS):
            store.commit(claim.record.id, claim.token, result())
            claims.append(claim)
        return claims

    with ThreadPoolExecutor(8) as threads:
        claims = [claim for some in threads.map(work, range(8)) for claim in some]
    assert len(claims) == len({claim.token for claim in claims}) == 60
    assert {claim.record.id for claim in claims} == ids


BOUNDS = AHEAD_MS, 0, REMEMBERED_MS, SCHEMA, 0, ""


def test_a_claim_whose_answer_was_lost_gives_the_same_job(store: JobStore, redis: Redis) -> None:
    first, second = (store.submit(new_job())[0].id for _ in range(2))
    server = Server(redis)
    answers = [server.run("claim", MODEL, WORKER, LEASE_MS, "token-1", *BOUNDS) for _ in range(2)]
    assert answers[0] == answers[1]
    assert answers[0][0].decode() == first
    store.release(first, "token-1", crashed=False, max_crashes=MAX_CRASHES)
    assert server.run("claim", MODEL, WORKER, LEASE_MS, "token-1", *BOUNDS)[0].decode() == first
    assert store.get(first).attempts == 2
    assert store.get(second).attempts == 0


@pytest.mark.parametrize("act", ACTS)
def test_a_stale_token_can_do_nothing(store: JobStore, redis: Redis, act: str) -> None:
    stale = start(store)
    pass_time(redis, stale.record.id, LEASE_MS)
    store.sweep(MAX_CRASHES)
    fresh = must(store.claim(MODEL, "worker-2", LEASE_MS))
    before = store.get(fresh.record.id)
    with pytest.raises(StaleToken):
        ACTS[act](store, stale)
    assert store.get(fresh.record.id) == before
    store.commit(fresh.record.id, fresh.token, result())
    with pytest.raises(StaleToken):
        ACTS["commit"](store, stale)


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("token", ["", "0" * 32, "*"])
def test_a_made_up_token_can_do_nothing(store: JobStore, act: str, token: str) -> None:
    claim = start(store)
    queued = store.submit(new_job())[0]
    for record in (claim.record, queued):
        with pytest.raises(StaleToken):
            ACTS[act](store, Claim(record, token))
        assert store.get(record.id) == record


@pytest.mark.parametrize("act", ACTS)
def test_a_deleted_job_makes_its_token_stale(store: JobStore, act: str) -> None:
    claim = start(store)
    store.canceled(claim.record.id, claim.token)
    store.delete(claim.record.id, TENANT)
    with pytest.raises(StaleToken):
        ACTS[act](store, claim)
    with pytest.raises(NotFound):
        store.get(claim.record.id)


@pytest.mark.parametrize("end", ENDS)
def test_an_end_is_final_and_may_be_repeated_by_its_own_attempt(store: JobStore, end: str) -> None:
    claim = start(store)
    ACTS[end](store, claim)
    ended = store.get(claim.record.id)
    assert ended.status == ENDS[end]
    assert ended.completed_at is not None
    assert ended.result == (result() if end == "commit" else None)
    assert ended.error == (ERROR if end == "fail" else None)
    ACTS[end](store, claim)
    for other in {"beat", "report", *ENDS} - {end}:
        with pytest.raises(StaleToken):
            ACTS[other](store, claim)
    assert ACTS["release"](store, claim) == ENDS[end]
    assert store.get(claim.record.id) == ended


def test_progress_is_kept_and_told(store: JobStore, redis: Redis) -> None:
    claim = start(store)
    steps = [
        Progress(stage="encode", step=1, total=1, percent=5),
        Progress(stage="denoise", step=1, total=10, percent=14),
        Progress(stage="denoise", step=2, total=10, percent=23),
    ]
    for step in steps:
        store.report(claim.record.id, claim.token, step)
    assert store.get(claim.record.id).progress == steps[-1]
    events = events_of(redis, claim.record.id)
    assert [kind for kind, _ in events] == ["queued", "started", "stage", "stage", "progress"]
    assert Progress.model_validate_json(events[-1][1]) == steps[-1]


def test_a_released_job_keeps_its_place(store: JobStore) -> None:
    claim = start(store)
    store.report(claim.record.id, claim.token, PROGRESS)
    behind = store.submit(new_job())[0]
    for _ in range(2):  # the second is what a retry sends
        assert store.release(claim.record.id, claim.token, crashed=False, max_crashes=MAX_CRASHES) == "queued"
    released = store.get(claim.record.id)
    assert (released.status, released.worker, released.progress) == ("queued", None, None)
    assert (released.attempts, released.crashes) == (1, 0)
    assert released.started_at == claim.record.started_at
    again = must(store.claim(MODEL, WORKER, LEASE_MS))
    assert again.record.id == claim.record.id
    assert again.token != claim.token
    assert must(store.claim(MODEL, WORKER, LEASE_MS)).record.id == behind.id


def test_a_job_that_crashes_its_workers_is_quarantined(store: JobStore) -> None:
    first = start(store)
    assert store.release(first.record.id, first.token, crashed=True, max_crashes=2) == "queued"
    second = must(store.claim(MODEL, WORKER, LEASE_MS))
    assert (second.record.attempts, second.record.crashes) == (2, 1)
    for _ in range(2):
        assert store.release(second.record.id, second.token, crashed=True, max_crashes=2) == "failed"
    failed = store.get(second.record.id)
    assert failed.error is not None
    assert (failed.error.code, failed.crashes) == ("worker_crashed", 2)


def test_a_drained_worker_never_quarantines(store: JobStore) -> None:
    claim = start(store)
    for _ in range(5):
        assert store.release(claim.record.id, claim.token, crashed=False, max_crashes=1) == "queued"
        claim = must(store.claim(MODEL, WORKER, LEASE_MS))


def test_a_released_job_that_nobody_wants_or_that_is_late_ends(store: JobStore, redis: Redis) -> None:
    canceled = start(store)
    store.cancel(canceled.record.id, TENANT)
    assert store.release(canceled.record.id, canceled.token, crashed=True, max_crashes=1) == "canceled"
    late = start(store, deadline_seconds=5)
    pass_time(redis, late.record.id, 5000)
    assert store.release(late.record.id, late.token, crashed=False, max_crashes=2) == "failed"
    error = store.get(late.record.id).error
    assert error is not None
    assert error.code == "deadline_exceeded"


def test_a_queued_job_is_canceled_at_once(store: JobStore) -> None:
    record, _ = store.submit(new_job())
    canceled = store.cancel(record.id, TENANT)
    assert canceled.status == "canceled"
    assert store.cancel(record.id, TENANT) == canceled
    assert store.claim(MODEL, WORKER, LEASE_MS) is None


def test_a_running_job_is_canceled_by_its_worker(store: JobStore) -> None:
    claim = start(store)
    assert not store.beat(claim.record.id, claim.token, LEASE_MS).cancel
    for _ in range(2):
        asked = store.cancel(claim.record.id, TENANT)
        assert (asked.status, asked.cancel_requested) == ("running", True)
    assert store.beat(claim.record.id, claim.token, LEASE_MS).cancel
    store.canceled(claim.record.id, claim.token)
    assert store.cancel(claim.record.id, TENANT).status == "canceled"


@pytest.mark.parametrize("end", ["commit", "fail"])
def test_a_job_with_another_end_cannot_be_canceled(store: JobStore, end: str) -> None:
    claim = start(store)
    store.cancel(claim.record.id, TENANT)
    ACTS[end](store, claim)
    with pytest.raises(WrongState) as refused:
        store.cancel(claim.record.id, TENANT)
    assert refused.value.status == ENDS[end]
