"""Prompts before the operator's judge: every way in is watched, and a no leaves nothing behind."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from redis import Redis

from job_store.api_keys import ApiKeys
from job_store.jobs import JobStore
from job_store.workers import WorkerRegistry
from runtime.valkey import EmbeddedValkey
from tests.runtime.judge import Judge, judging
from tests.service.conftest import BODY, make_settings, serving
from tests.service.pictures import encoded, gradient

PICTURE = {"data": base64.b64encode(encoded(gradient())).decode()}
WITH_PICTURE = {**BODY, "source": {"kind": "image", "image": PICTURE, "prompt": "a photo of a room"}}
REFUSED = {"allowed": False, "reason": "no dogs"}


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    with judging() as judge:
        yield judge


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("moderated")


@pytest.fixture(scope="module")
def moderated(valkey: EmbeddedValkey, folder: Path, judge: Judge) -> Iterator[str]:
    """The address of a gateway with a judge."""
    with serving(make_settings(valkey, folder, **judge.settings)) as url:
        yield url


@pytest.fixture
def client(moderated: str, judge: Judge, redis: Redis, worker: WorkerRegistry) -> Iterator[httpx.Client]:
    """A tenant's, before a judge that lets everything pass."""
    judge.sees, judge.status = (lambda asked: {"allowed": True}), 200
    judge.asked.clear()
    headers = {"Authorization": f"Bearer {ApiKeys(redis).create('acme', 'test')}"}
    with httpx.Client(base_url=moderated, headers=headers, timeout=30) as client:
        yield client


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_prompt_is_judged_as_it_was_understood(client: httpx.Client, judge: Judge) -> None:
    answer = client.post("/v1/insertions", json={**BODY, "subject": None})
    assert answer.status_code == 202
    [asked] = judge.asked
    assert (asked["kind"], asked["tenant"], asked["model"]) == ("prompt", "acme", "small")
    assert (asked["prompt"], asked["subject"]) == ("a photo of a dog", "dog")
    assert (asked["source_prompt"], asked["job_id"]) == ("a photo of a room", answer.json()["id"])


def test_a_refused_prompt_makes_no_job_and_leaves_no_picture(
    client: httpx.Client, judge: Judge, store: JobStore, folder: Path
) -> None:
    judge.sees = lambda asked: REFUSED
    answer = client.post("/v1/insertions", json=WITH_PICTURE, headers={"Idempotency-Key": "once"})
    assert (answer.status_code, answer.json()["code"]) == (422, "prompt_refused")
    assert "no dogs" in answer.json()["detail"]
    assert (store.list("acme"), files(folder)) == (([], None), [])
    judge.sees = lambda asked: {"allowed": True}
    again = client.post("/v1/insertions", json=WITH_PICTURE, headers={"Idempotency-Key": "once"})
    assert again.status_code == 202


def test_without_a_verdict_nothing_is_taken_in(client: httpx.Client, judge: Judge, store: JobStore) -> None:
    judge.status = 500
    answer = client.post("/v1/insertions", json=BODY)
    assert (answer.status_code, answer.json()["code"]) == (503, "moderation_unavailable")
    assert answer.headers["Retry-After"]
    assert store.list("acme") == ([], None)


def test_there_is_no_way_round_the_judge(client: httpx.Client, judge: Judge, store: JobStore) -> None:
    parent = client.post("/v1/insertions", json=BODY).json()["id"]
    scene = client.post("/v1/scenes", json={"source": BODY["source"]}).json()["id"]
    judge.sees = lambda asked: REFUSED
    step = {"prompt": "a photo of a dog", "subject": "dog"}
    for path, body in (
        (f"/v1/insertions/{parent}/variations", {"seeds": [9]}),
        (f"/v1/scenes/{scene}/insertions", step),
    ):
        assert client.post(path, json=body).json()["code"] == "prompt_refused", path
    edit = client.post(
        "/v1/images/edits", json={"images": [{"image_url": f"data:image/png;base64,{PICTURE['data']}"}],
                                  "prompt": "a photo of a dog", "source_prompt": "a photo of a room"},
    )  # fmt: skip
    assert (edit.status_code, edit.json()["error"]["code"]) == (400, "prompt_refused")
    jsonl = {"Content-Type": "application/jsonl"}
    batch = client.post("/v1/batches", content=json.dumps(BODY), headers=jsonl).json()
    assert batch["counts"]["refused"] == 1
    assert [record.id for record in store.list("acme")[0]] == [parent]
