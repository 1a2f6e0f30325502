"""Batches over HTTP: each line by itself, all of them as one."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from api_schemas.batches import BatchResult
from job_store.jobs import JobStore
from service.batches import MAX_LINES
from tests.service.conftest import BODY, CARD

pytestmark = pytest.mark.usefixtures("worker")
KEY = {"Idempotency-Key": "k"}


def submit(client: httpx.Client, *lines: dict[str, Any] | str, **headers: str) -> httpx.Response:
    told = (line if isinstance(line, str) else json.dumps(line) for line in lines)
    kind = {"Content-Type": "application/jsonl"}
    return client.post("/v1/batches", content="\n".join(told), headers=kind | headers)


def test_lines_are_accepted_or_refused_each_by_itself(
    client: httpx.Client, store: JobStore, finish: Callable[[], str]
) -> None:
    lines = (BODY, "{", "", {**BODY, "prompt": "a photo of a unicorn"}, {**BODY, "metadata": {"n": 5}})
    answer = submit(client, *lines)
    assert answer.status_code == 202, answer.text
    batch = answer.json()
    assert batch["status"] == "in_progress"
    assert (batch["counts"]["total"], batch["counts"]["refused"], batch["counts"]["queued"]) == (5, 3, 2)
    path = f"/v1/batches/{batch['id']}"
    assert client.get(f"{path}/results").json()["code"] == "wrong_state"
    assert all(record.request.priority == "bulk" for record in store.list("acme")[0])
    for _ in range(2):
        finish()
    done = client.get(path).json()
    assert (done["status"], done["counts"]["succeeded"]) == ("completed", 2)
    told = client.get(done["results_url"]).text.splitlines()
    results = [BatchResult.model_validate_json(line) for line in told]
    assert [one.problem.code if one.problem else None for one in results] == [
        None, "malformed_request", "malformed_request", "subject_not_in_prompt", None,
    ]  # fmt: skip
    assert [one.line for one in results] == [1, 2, 3, 4, 5]
    last = results[4].insertion
    assert last is not None
    assert (last.status, last.metadata) == ("succeeded", {"n": 5})
    assert client.get("/v1/batches").json()["data"][0]["id"] == batch["id"]


def test_the_same_batch_again_makes_nothing_twice(client: httpx.Client, store: JobStore) -> None:
    first, again = (submit(client, BODY, BODY, **KEY).json() for _ in range(2))
    assert first["id"] == again["id"]
    assert len(store.list("acme")[0]) == 2
    assert submit(client, BODY, **KEY).json()["code"] == "idempotency_key_reused"


def test_a_canceled_batch_stops_all_that_has_not_ended(
    client: httpx.Client, store: JobStore, finish: Callable[[], str]
) -> None:
    batch = submit(client, BODY, BODY, BODY).json()
    finish()
    claim = store.claim(CARD.name, "one", 30_000)
    assert claim
    path = f"/v1/batches/{batch['id']}"
    canceling = client.post(f"{path}/cancel").json()
    assert (canceling["status"], canceling["results_url"]) == ("canceling", None)
    store.canceled(claim.record.id, claim.token)
    canceled = client.post(f"{path}/cancel").json()
    assert canceled["status"] == "canceled"
    assert (canceled["counts"]["succeeded"], canceled["counts"]["canceled"]) == (1, 2)
    assert len(client.get(canceled["results_url"]).text.splitlines()) == 3


def test_what_is_no_batch_is_refused(client: httpx.Client, store: JobStore) -> None:
    assert client.post("/v1/batches", json=BODY).json()["code"] == "unsupported_media_type"
    assert submit(client, "", " ").json()["code"] == "invalid_request"
    assert submit(client, *[""] * MAX_LINES, "{}").json()["code"] == "invalid_request"
    assert store.list("acme") == ([], None)


def test_nobody_elses_batch_is_found(client: httpx.Client, client_of: Callable[[str], httpx.Client]) -> None:
    other, path = client_of("other"), f"/v1/batches/{submit(client, BODY).json()['id']}"
    assert other.get(path).status_code == other.get(f"{path}/results").status_code == 404
    assert other.post(f"{path}/cancel").status_code == 404
    assert other.get("/v1/batches").json()["data"] == []
