"""Two releases on one store: records of the release before are ours to run, those of a newer one are not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from redis import Redis

from job_store import jobs as module
from job_store.audit import violations
from job_store.errors import StoreUnavailable
from job_store.jobs import JobStore
from job_store.keys import Key
from job_store.operations import Operations
from job_store.records import SCHEMA, pairs
from job_store.server import Server
from tests.job_store.samples import LEASE_MS, MODEL, PROGRESS, TENANT, must, new_job, result
from tests.job_store.snapshots import ENDS, load, read

RELEASES = [str(SCHEMA - 1), str(SCHEMA)]
THEIRS = SCHEMA + 1


@pytest.fixture
def jobs(redis: Redis) -> JobStore:
    return JobStore(redis)


def fields_of(redis: Redis, job_id: str) -> dict[str, str]:
    return pairs(Server(redis).run("read", job_id)[0])


@pytest.mark.parametrize("name", RELEASES)
def test_what_a_release_left_is_read_run_and_ended(name: str, redis: Redis, jobs: JobStore) -> None:
    ids = load(redis, read(name))
    assert violations(redis) == []
    assert {says: jobs.get(ids[says]).status for says in ENDS} == ENDS
    assert {record.id for record in jobs.list(TENANT, 50)[0]} == set(ids.values())
    running = jobs.get(ids["runs"])
    assert (running.status, running.progress) == ("running", PROGRESS)
    token = fields_of(redis, ids["runs"])["token"]
    assert not jobs.beat(ids["runs"], token, LEASE_MS).cancel
    jobs.commit(ids["runs"], token, result(), 10)
    for says in ("waits", "waits in bulk"):
        claim = must(jobs.claim(MODEL, "worker-2", LEASE_MS))
        assert claim.record.id == ids[says]
        jobs.commit(ids[says], claim.token, result(), 10)
    assert jobs.claim(MODEL, "worker-2", LEASE_MS) is None
    assert violations(redis) == []


@pytest.mark.parametrize("name", RELEASES)
def test_fields_that_nobody_here_knows_are_kept(name: str, redis: Redis, jobs: JobStore) -> None:
    ids = load(redis, read(name))
    redis.hset(Key.JOB + ids["waits"], "colour", "blue")
    claim = must(jobs.claim(MODEL, "worker-2", LEASE_MS))
    jobs.release(claim.record.id, claim.token, crashed=False, max_crashes=2)
    claim = must(jobs.claim(MODEL, "worker-2", LEASE_MS))
    jobs.commit(claim.record.id, claim.token, result(), 10)
    assert fields_of(redis, ids["waits"])["colour"] == "blue"


def test_records_say_which_release_made_them(redis: Redis, jobs: JobStore) -> None:
    record, _ = jobs.submit(new_job())
    assert fields_of(redis, record.id)["schema"] == str(SCHEMA)


def newer(redis: Redis, job_id: str, **more: Any) -> None:
    """Make a record what a newer release would have written, which asks for more than this one knows."""
    request = {**json.loads(fields_of(redis, job_id)["request"]), "glow": {"strength": 2}, **more}
    told: Any = {"schema": THEIRS, "request": json.dumps(request), "glow": "soft"}
    redis.hset(Key.JOB + job_id, mapping=told)


def test_what_a_newer_release_submitted_waits_for_its_workers(
    redis: Redis, jobs: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs, ours = (jobs.submit(new_job())[0].id for _ in range(2))
    newer(redis, theirs)
    before = fields_of(redis, theirs)
    assert must(jobs.claim(MODEL, "worker-1", LEASE_MS)).record.id == ours
    assert jobs.claim(MODEL, "worker-1", LEASE_MS) is None
    jobs.sweep(2)
    assert fields_of(redis, theirs) == before
    assert jobs.get(theirs).status == "queued"
    monkeypatch.setattr(module, "SCHEMA", THEIRS)
    assert must(jobs.claim(MODEL, "worker-2", LEASE_MS)).record.id == theirs
    assert fields_of(redis, theirs)["glow"] == "soft"
    assert violations(redis) == []


def test_a_tenant_whose_jobs_are_all_newer_keeps_nobody_waiting(redis: Redis, jobs: JobStore) -> None:
    for _ in range(3):
        newer(redis, jobs.submit(new_job("globex"))[0].id)
    ours = jobs.submit(new_job("acme"))[0].id
    bulk = jobs.submit(new_job("initech", priority="bulk"))[0].id
    assert must(jobs.claim(MODEL, "worker-1", LEASE_MS)).record.id == ours
    assert must(jobs.claim(MODEL, "worker-1", LEASE_MS)).record.id == bulk
    assert jobs.claim(MODEL, "worker-1", LEASE_MS) is None
    assert violations(redis) == []


def test_moved_to_the_front_or_of_a_held_source_it_is_left_all_the_same(redis: Redis, jobs: JobStore) -> None:
    ours, held, moved = (jobs.submit(new_job())[0] for _ in range(3))
    newer(redis, held.id)
    newer(redis, moved.id)
    Operations(redis).move_to_front(moved.id)
    claim = must(jobs.claim(MODEL, "worker-1", LEASE_MS, holds=(held.source_id,)))
    assert claim.record.id == ours.id
    assert jobs.claim(MODEL, "worker-1", LEASE_MS, holds=(held.source_id,)) is None
    assert violations(redis) == []


def test_what_only_a_newer_release_understands_is_not_shown_by_this_one(redis: Redis, jobs: JobStore) -> None:
    """Its own gateways can: the client asks again."""
    record, _ = jobs.submit(new_job())
    newer(redis, record.id, mode="instant")
    with pytest.raises(StoreUnavailable, match="newer release"):
        jobs.get(record.id)


def test_a_broken_record_of_our_own_is_no_outage(redis: Redis, jobs: JobStore) -> None:
    record, _ = jobs.submit(new_job())
    redis.hset(Key.JOB + record.id, "request", "{}")
    with pytest.raises(ValueError, match="InsertionRequest"):
        jobs.get(record.id)
