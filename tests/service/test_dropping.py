"""Dropping a seed over HTTP: what is left goes on, and costs less."""

from __future__ import annotations

import httpx
import pytest

from api_schemas.errors import JobError
from job_store.jobs import JobStore
from tests.service.conftest import BODY, CARD

pytestmark = pytest.mark.usefixtures("worker")


def test_dropping_by_state(client: httpx.Client, store: JobStore) -> None:
    job = client.post("/v1/insertions", json=BODY | {"seeds": [1, 2, 3]}).json()
    seeds = f"/v1/insertions/{job['id']}/seeds"
    before = store.get(job["id"]).work
    for _ in range(2):
        answer = client.delete(f"{seeds}/3")
        assert (answer.status_code, answer.json()["status"]) == (202, "queued")
        assert (answer.json()["dropped_seeds"], answer.json()["request"]["seeds"]) == ([3], [1, 2, 3])
    assert store.get(job["id"]).work < before
    claim = store.claim(CARD.name, "one", 30_000)
    assert claim
    assert (client.delete(f"{seeds}/1").status_code, client.delete(f"{seeds}/4").status_code) == (202, 404)
    assert client.delete(f"{seeds}/two").status_code == 422
    assert store.beat(job["id"], claim.token, 30_000).dropped == (3, 1)
    store.fail(job["id"], claim.token, JobError(code="internal", message="broken"))
    late = client.delete(f"{seeds}/2")
    assert (late.status_code, late.json()["code"]) == (409, "wrong_state")


def test_without_the_last_one_it_is_canceled(client: httpx.Client, store: JobStore) -> None:
    waiting, running = (client.post("/v1/insertions", json=BODY).json()["id"] for _ in range(2))
    for _ in range(2):
        answer = client.delete(f"/v1/insertions/{waiting}/seeds/1")
        assert (answer.status_code, answer.json()["status"]) == (200, "canceled")
    claim = store.claim(CARD.name, "one", 30_000)
    assert claim
    answer = client.delete(f"/v1/insertions/{running}/seeds/1")
    assert (answer.status_code, answer.json()["status"]) == (202, "running")
    assert store.beat(running, claim.token, 30_000).cancel
