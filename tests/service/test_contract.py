"""Lines of the contract that no other test shows (docs/api-coverage.md)."""

from __future__ import annotations

import errno
import os
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from job_store.jobs import JobStore
from job_store.workers import WorkerRegistry
from tests.service.conftest import BODY, CARD
from tests.service.pictures import encoded, gradient

pytestmark = pytest.mark.usefixtures("worker")
PNG = {"Content-Type": "image/png"}
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
EVERYTHING: dict[str, Any] = {
    "prompt": "a photo of a room with a red dog",
    "subject": "dog",
    "preset": "real",
    "seeds": [1, 2, 3, 4],
    "options": {
        "extended_scale": 1.05, "structure_transfer_step": 4, "blend_steps": [5], "localizer": "attention",
        "num_inference_steps": 10, "guidance_scale": 3.5, "inversion": "noising", "strict_background": True,
        "source_scale": [{"step": 0, "double": 1.0, "single": 1.1}], "use_offset": False, "softness": 1.5,
        "source_shift": [0.0, 2.0], "keep_shadow": True, "keep_best": 2,
    },
    "region": {"box": [4, 6, 20, 28]},
    "avoid": {"points": [[30, 20]]},
    "output": {
        "format": "webp", "include": ["mask", "attention", "cutout", "source", "overlay"], "previews": 2,
    },
    "model": "small",
    "mode": "exact",
    "loras": [{"name": "ink", "scale": 0.8}],
    "webhook": {"url": "https://example.com/hook", "events": ["insertion.succeeded", "insertion.failed"]},
    "if_not_added": "retry",
    "priority": "bulk",
    "deadline_seconds": 120,
    "retain_seconds": 86_400,
    "metadata": {"order": "4711"},
}  # fmt: skip
"""Every field but `source`."""


def test_every_field_is_taken_and_given_back(client: httpx.Client) -> None:
    picture = client.post("/v1/images", content=encoded(gradient()), headers=PNG).json()["id"]
    source = {"kind": "image", "image": {"id": picture}, "prompt": "a photo of a room"}
    answer = client.post("/v1/insertions", json={"source": source, **EVERYTHING})
    assert answer.status_code == 202, answer.text
    job = answer.json()
    assert answer.headers["Location"] == job["urls"]["self"]
    told = job["request"]
    for name, asked in EVERYTHING.items():
        if isinstance(asked, dict):
            assert (
                asked.items() <= {**told[name], **({"url": asked["url"]} if "url" in asked else {})}.items()
            )
        else:
            assert told[name] == asked, name
    assert told["source"]["image"]["id"] == picture
    assert job["metadata"] == EVERYTHING["metadata"]


def test_moments_are_rfc_3339_in_utc(client: httpx.Client) -> None:
    job = client.post("/v1/insertions", json=BODY).json()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", job["created_at"])


def test_a_polled_job_says_when_to_look_again(client: httpx.Client, finish: Callable[[], str]) -> None:
    address = client.post("/v1/insertions", json=BODY).json()["urls"]["self"]
    waiting = client.get(address)
    assert int(waiting.headers["Retry-After"]) > 0
    same = client.get(address, headers={"If-None-Match": waiting.headers["ETag"]})
    assert (same.status_code, same.headers["Retry-After"]) == (304, waiting.headers["Retry-After"])
    finish()
    assert "Retry-After" not in client.get(address).headers


def test_a_trace_is_kept_and_another_thing_in_its_place_ignored(
    client: httpx.Client, store: JobStore
) -> None:
    sent = {TRACE: TRACE, "00-nothing": None}
    for traceparent, kept in sent.items():
        job = client.post("/v1/insertions", json=BODY, headers={"traceparent": traceparent}).json()
        assert store.get(job["id"]).traceparent == kept


@pytest.mark.parametrize("kind", ["variations", "mask", "scene"])
def test_every_submission_can_be_waited_for(
    client: httpx.Client, store: JobStore, finish: Callable[[], str], kind: str
) -> None:
    client.post("/v1/insertions", json=BODY)
    parent = finish()
    source = {"kind": "generated", "prompt": "a photo of a room"}
    scene = client.post("/v1/scenes", json={"source": source}).json()["id"]
    given: dict[str, tuple[str, dict[str, Any]]] = {
        "variations": (f"/v1/insertions/{parent}/variations", {"seeds": [5]}),
        "mask": (f"/v1/insertions/{parent}/mask", {"localizer": "attention"}),
        "scene": (f"/v1/scenes/{scene}/insertions", {"prompt": "a photo of a dog", "subject": "dog"}),
    }
    path, body = given[kind]
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(client.post, path, json=body, headers={"Prefer": "wait=20"})
        ends_at = time.monotonic() + 20
        while not store.ready_count(CARD.name):
            assert time.monotonic() < ends_at, answer.result().text
        finish()
        result = answer.result()
    assert (result.status_code, result.json()["status"]) == (200, "succeeded")
    assert result.headers["Preference-Applied"] == "wait=20"
    late = client.post(path, json={**body, "metadata": {"a": 1}}, headers={"Prefer": "wait=1"})
    assert (late.status_code, late.headers["Preference-Applied"]) == (202, "wait=1")


def test_a_full_disk_is_507(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(os, "replace", full)
    answer = client.post("/v1/images", content=encoded(gradient()), headers=PNG)
    assert (answer.status_code, answer.json()["code"]) == (507, "storage_full")


def test_the_models_that_are_served_tell_of_themselves(client: httpx.Client, worker: WorkerRegistry) -> None:
    (card,) = client.get("/v1/models").json()["data"]
    assert card == CARD.model_dump(mode="json")
    worker.remove("one")
    assert client.get("/v1/models").json()["data"] == []
