"""A worker whose engine has jobs takes the one in turn if it can be beside them, and else none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from job_store.company import Company
from job_store.errors import NoneFits
from job_store.jobs import JobStore
from job_store.records import Claim
from tests.job_store.samples import LEASE_MS, MODEL, WORKER, must, new_job

LIKE_IT = Company("64x48", 2, "another source", waited_ms=0)


def submit(store: JobStore, size: str | None = "64x48", scene: str = "a room", **fields: Any) -> str:
    job = new_job(**{"source": {"kind": "generated", "prompt": scene}, "seeds": [1], **fields})
    return store.submit(replace(job, size=size))[0].id


def claim(store: JobStore, company: Company | None = LIKE_IT) -> Claim | None:
    return store.claim(MODEL, WORKER, LEASE_MS, company=company)


@pytest.mark.parametrize("company", [Company(), LIKE_IT])
def test_the_job_in_turn_is_taken_where_it_fits(store: JobStore, company: Company) -> None:
    assert claim(store, company) is None
    first, second = submit(store), submit(store, seeds=[1, 2])
    assert must(claim(store, company)).record.id == first
    found = must(claim(store, company)).record
    assert (found.id, found.size, found.status) == (second, "64x48", "running")


@pytest.mark.parametrize(
    ("size", "fields"),
    [
        ("48x64", {}),
        (None, {}),
        ("64x48", {"seeds": [1, 2, 3]}),
        ("64x48", {"mode": "turbo"}),
        ("64x48", {"loras": [{"name": "paper", "scale": 0.5}]}),
    ],
)
def test_one_that_does_not_stays_with_all_behind_it(
    store: JobStore, size: str | None, fields: dict[str, Any]
) -> None:
    first, _ = submit(store, size, **fields), submit(store)
    with pytest.raises(NoneFits):
        claim(store)
    left = store.get(first)
    assert (left.status, left.attempts, store.ready_count(MODEL)) == ("queued", 0, 2)
    assert must(claim(store, Company())).record.id == first


def test_one_of_the_same_source_waits_to_find_it_known(store: JobStore) -> None:
    submit(store)
    running = must(claim(store, None)).record
    beside = replace(LIKE_IT, source_id=running.source_id)
    submit(store)
    with pytest.raises(NoneFits):
        claim(store, beside)


def test_one_that_has_just_come_is_left_to_idle_workers(store: JobStore) -> None:
    job_id = submit(store)
    with pytest.raises(NoneFits):
        claim(store, replace(LIKE_IT, waited_ms=60_000))
    assert must(claim(store)).record.id == job_id


@pytest.mark.parametrize("company", [Company(), LIKE_IT])
def test_over_which_a_worker_died_is_left_for_an_engine_of_its_own(store: JobStore, company: Company) -> None:
    job_id = submit(store)
    store.release(job_id, must(claim(store, None)).token, crashed=True, max_crashes=2)
    with pytest.raises(NoneFits):
        claim(store, company)
    assert must(claim(store, None)).record.id == job_id


def test_one_that_was_only_given_back_fits_as_before(store: JobStore) -> None:
    job_id = submit(store)
    store.release(job_id, must(claim(store, None)).token, crashed=False, max_crashes=2)
    assert must(claim(store)).record.id == job_id
