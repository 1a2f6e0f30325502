"""Accepting, finding and listing jobs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from redis import Redis

from job_store.connection import connect
from job_store.errors import BadCursor, IdempotencyKeyReused, NotFound, QueueFull, StoreUnavailable
from job_store.jobs import JobStore
from job_store.keys import Key
from job_store.listing import Wanted
from job_store.records import Idempotency, NewJob
from runtime.valkey import embedded_valkey
from tests.figures import Figure
from tests.job_store.samples import LEASE_MS, MODEL, TENANT, WORKER, must, new_job, request, result

ONCE = Idempotency("order-4711", "a" * 64)


def test_a_job_reads_as_it_was_submitted(store: JobStore) -> None:
    asked = request(
        deadline_seconds=60,
        metadata={"order": "4711", "naïve": ["ü", None]},
        webhook={"url": "https://example.com/"},
    )
    job = NewJob("ins_1", TENANT, MODEL, asked, "t/acme/i/img_1.png", "00-ab-cd-01", "ins_0")
    record, fresh = store.submit(job)
    assert fresh
    assert record == store.get("ins_1", TENANT) == store.get("ins_1")
    assert (record.tenant, record.model, record.request) == (TENANT, MODEL, asked)
    assert (record.source_key, record.traceparent, record.parent_id) == (
        "t/acme/i/img_1.png",
        "00-ab-cd-01",
        "ins_0",
    )
    assert (record.status, record.attempts, record.crashes, record.cancel_requested) == (
        "queued",
        0,
        0,
        False,
    )
    assert (record.deadline_at - record.created_at).total_seconds() == 60
    assert not any((record.started_at, record.completed_at, record.result, record.error, record.worker))


def test_a_foreign_job_is_like_an_absent_one(store: JobStore) -> None:
    record, _ = store.submit(new_job())
    for job_id, tenant in ((record.id, "other"), ("ins_absent", TENANT), ("", TENANT), ("*", TENANT)):
        for act in (store.get, store.cancel, store.delete):
            with pytest.raises(NotFound):
                act(job_id, tenant)
    assert store.get(record.id, TENANT).status == "queued"


def test_a_repeated_submission_of_one_id_is_one_job(store: JobStore) -> None:
    """What redis-py does when the first answer is lost."""
    job = new_job()
    assert store.submit(job, ONCE) == store.submit(job, ONCE)
    assert store.submit(job, ONCE)[1]
    assert store.counts() == {"accepted": 1}
    assert store.ready_count(MODEL) == 1


def test_one_key_and_body_make_one_job(store: JobStore) -> None:
    record, fresh = store.submit(new_job(), ONCE)
    assert fresh
    assert store.submit(new_job(), ONCE) == (record, False)
    claim = must(store.claim(MODEL, WORKER, LEASE_MS))
    store.commit(claim.record.id, claim.token, result())
    again, fresh = store.submit(new_job(), ONCE)
    assert (again.id, again.status, fresh) == (record.id, "succeeded", False)


def test_one_key_with_another_body_is_refused(store: JobStore) -> None:
    record, _ = store.submit(new_job(), ONCE)
    with pytest.raises(IdempotencyKeyReused) as refused:
        store.submit(new_job(), Idempotency(ONCE.key, "b" * 64))
    assert refused.value.job_id == record.id
    assert store.counts() == {"accepted": 1}


@pytest.mark.fault(30)
def test_one_key_of_two_tenants_makes_two_jobs(store: JobStore) -> None:
    mine, _ = store.submit(new_job(tenant="a"), Idempotency("b:k", "f"))
    other, fresh = store.submit(new_job(tenant="a:b"), Idempotency("k", "g"))
    same_key, fresh_too = store.submit(new_job(tenant="c"), Idempotency("b:k", "h"))
    assert fresh
    assert fresh_too
    assert len({mine.id, other.id, same_key.id}) == 3


def test_a_key_whose_job_is_deleted_is_free_again(store: JobStore) -> None:
    first, _ = store.submit(new_job(), ONCE)
    store.delete(first.id, TENANT)
    second, fresh = store.submit(new_job(), Idempotency(ONCE.key, "b" * 64))
    assert fresh
    assert second.id != first.id


@pytest.mark.fault(28)
def test_fifty_at_once_with_one_key_make_one_job(store: JobStore, figure: Figure) -> None:
    start = Barrier(50)

    def submit(_: int) -> tuple[str, bool]:
        job = new_job()
        start.wait()
        record, fresh = store.submit(job, ONCE)
        return record.id, fresh

    with ThreadPoolExecutor(50) as threads:
        answers = list(threads.map(submit, range(50)))
    figure(28, "jobs of 50 submissions", len({job_id for job_id, _ in answers}))
    assert sum(fresh for _, fresh in answers) == 1
    assert store.counts() == {"accepted": 1}
    assert store.ready_count(MODEL) == 1


def test_a_full_line_takes_no_more_of_its_model(redis: Redis) -> None:
    store = JobStore(redis, max_queued=2)
    first, _ = store.submit(new_job(), ONCE)
    store.submit(new_job())
    with pytest.raises(QueueFull):
        store.submit(new_job())
    assert store.submit(new_job(), ONCE) == (first, False)
    store.submit(new_job(model="large"))
    store.claim(MODEL, WORKER, LEASE_MS)
    store.submit(new_job())
    assert store.models_with_ready() == ["large", MODEL]


def test_lists_are_own_newest_first_and_paged(store: JobStore) -> None:
    ids = [store.submit(new_job())[0].id for _ in range(5)]
    store.submit(new_job(tenant="other"))
    newest, cursor = store.list(TENANT, limit=2)
    middle, cursor = store.list(TENANT, 2, cursor)
    oldest, end = store.list(TENANT, 2, cursor)
    assert [record.id for record in newest + middle + oldest] == ids[::-1]
    assert end is None
    assert store.list("nobody") == ([], None)


def test_lists_keep_to_a_status(store: JobStore) -> None:
    ids = [store.submit(new_job())[0].id for _ in range(4)]
    store.cancel(ids[1], TENANT)
    store.cancel(ids[3], TENANT)
    canceled, cursor = store.list(TENANT, 1, None, Wanted("canceled"))
    rest, end = store.list(TENANT, 5, cursor, Wanted("canceled"))
    assert [record.id for record in canceled + rest] == [ids[3], ids[1]]
    assert end is None


def test_a_list_looks_at_so_many_records_only(store: JobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("job_store.jobs.LIST_PAGE", 2)
    monkeypatch.setattr("job_store.jobs.LIST_SCANNED", 4)
    ids = [store.submit(new_job())[0].id for _ in range(6)]
    store.cancel(ids[0], TENANT)
    nothing, cursor = store.list(TENANT, 5, None, Wanted("canceled"))
    assert nothing == []
    assert [record.id for record in store.list(TENANT, 5, cursor, Wanted("canceled"))[0]] == [ids[0]]


@pytest.mark.parametrize("cursor", ["", "x", "-1", "1.5", "٣", "1e9", "inf", "9" * 18, "1\n", "1 LIMIT"])
def test_a_made_up_cursor_is_refused(store: JobStore, cursor: str) -> None:
    with pytest.raises(BadCursor):
        store.list(TENANT, before=cursor)


def test_order_survives_a_clock_that_steps_back(store: JobStore, redis: Redis) -> None:
    redis.set(Key.LAST_TIME, 4_000_000_000_000_000)
    ids = [store.submit(new_job())[0].id for _ in range(3)]
    assert [must(store.claim(MODEL, WORKER, LEASE_MS)).record.id for _ in ids] == ids
    assert [record.id for record in store.list(TENANT)[0]] == ids[::-1]


def test_without_memory_nothing_is_accepted_but_jobs_end(tmp_path: Path) -> None:
    with embedded_valkey(tmp_path) as server, connect(server.url) as redis:
        store = JobStore(redis)
        kept = [store.submit(new_job(webhook={"url": "https://example.com/"}))[0].id for _ in range(3)]
        redis.config_set("maxmemory", 1)
        with pytest.raises(StoreUnavailable):
            store.submit(new_job())
        assert store.get(kept[0]).status == "queued"
        claim = must(store.claim(MODEL, WORKER, LEASE_MS))
        store.beat(claim.record.id, claim.token, LEASE_MS)
        store.commit(claim.record.id, claim.token, result())
        store.cancel(kept[1], TENANT)
        store.delete(kept[2], TENANT)
        assert store.counts() == {"accepted": 3, "succeeded": 1, "canceled": 2}
