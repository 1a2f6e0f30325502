"""Another mask for a finished job."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from PIL import Image

from api_schemas.jobs import Cost, InsertionJob, InsertionResult, ResultImage, Timings, Try
from job_store.artifacts import ArtifactMissing, ArtifactStore, mask_key
from job_store.jobs import JobStore
from tests.service.conftest import BODY, CARD
from tests.service.pictures import encoded, gradient

pytestmark = pytest.mark.usefixtures("worker")
PICTURE = {"data": base64.b64encode(encoded(gradient())).decode()}
REAL = {**BODY, "source": {"kind": "image", "image": PICTURE, "prompt": "a photo of a room"}, "seeds": [1, 2]}
MASK = encoded(Image.new("L", (40, 30), 255))
Finish = Callable[..., InsertionJob]


@pytest.fixture
def finished(client: httpx.Client, store: JobStore) -> Finish:
    """A job that succeeded."""

    def make(body: dict[str, Any] = REAL, tries: int = 0) -> InsertionJob:
        job = InsertionJob.model_validate(client.post("/v1/insertions", json=body).json())
        claim = store.claim(CARD.name, "one", 30_000)
        assert claim
        told = [Try(seed=1, extended_scale=1.05, structure_transfer_step=2, added=False)] * tries
        images = [
            ResultImage(
                seed=seed,
                url="t/a/1.png",
                width=40,
                height=30,
                subject_found=True,
                extended_scale=1,
                tries=told,
            )
            for seed in (1, 2)
        ]
        cost = Cost(forwards=20, gpu_seconds=1, source_memory="none")
        store.commit(job.id, claim.token, InsertionResult(images=images, timings=Timings(), cost=cost))
        return job

    return make


def remask(client: httpx.Client, job: InsertionJob, asked: dict[str, Any], **headers: str) -> httpx.Response:
    return client.post(f"/v1/insertions/{job.id}/mask", json=asked, headers=headers)


def test_another_localizer_is_a_job_that_replays_its_parent(
    client: httpx.Client, store: JobStore, finished: Finish
) -> None:
    body = {
        **REAL,
        "if_not_added": "retry",
        "options": {"guidance_scale": 2, "keep_best": 2},
        "metadata": {"order": 1},
    }
    parent = finished(body)
    answer = remask(client, parent, {"localizer": "attention", "softness": 2})
    assert answer.status_code == 202, answer.text
    job = InsertionJob.model_validate(answer.json())
    record, before = store.get(job.id), store.get(parent.id)
    assert (job.parent_id, record.replay, record.source_id) == (parent.id, "localizer", before.source_id)
    assert (record.shape, record.size) == (before.shape, before.size)
    expected = before.request.options.model_copy(update={"softness": 2, "keep_best": None})
    assert job.request.options == expected
    assert (job.request.seeds, job.request.if_not_added, job.metadata) == ([1, 2], "report", {"order": 1})


@pytest.mark.parametrize("way", ["part", "data", "id"])
def test_a_mask_comes_as_pictures_do(
    client: httpx.Client, store: JobStore, artifacts: ArtifactStore, finished: Finish, way: str
) -> None:
    parent = finished()
    path = f"/v1/insertions/{parent.id}/mask"
    if way == "part":
        asked = {"mask": {"part": "cut"}}
        answer = client.post(path, files={"request": (None, json.dumps(asked)), "cut": ("m.png", MASK)})
    elif way == "data":
        answer = remask(client, parent, {"mask": {"data": base64.b64encode(MASK).decode()}})
    else:
        image = client.post("/v1/images", content=MASK, headers={"Content-Type": "image/png"}).json()
        answer = remask(client, parent, {"mask": {"id": image["id"]}})
    assert answer.status_code == 202, answer.text
    record = store.get(answer.json()["id"])
    assert record.replay == "mask"
    assert artifacts.get(mask_key("acme", record.id, "mask")).startswith(b"\x89PNG")
    assert client.delete(f"/v1/insertions/{record.id}").status_code == 204
    with pytest.raises(ArtifactMissing):
        artifacts.get(mask_key("acme", record.id, "mask"))


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({}, "invalid_request"),
        ({"localizer": "attention", "mask": PICTURE}, "invalid_request"),
        ({"localizer": "guess"}, "invalid_request"),
        ({"localizer": "clipseg"}, "unsupported_option"),
        ({"mask": {"data": "aaaa"}}, "unsupported_image"),
        ({"mask": {"part": "cut"}}, "invalid_request"),
        ({"mask": {"id": "img_0"}}, "source_unavailable"),
        ({"localizer": "attention", "seeds": [1]}, "invalid_request"),
        ({"localizer": "attention", "webhook": {"url": "ftp://x"}}, "invalid_request"),
    ],
)
def test_what_is_no_mask_is_refused(
    client: httpx.Client, finished: Finish, asked: dict[str, Any], code: str
) -> None:
    answer = remask(client, finished(), asked)
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text


def test_only_what_has_a_mask_gets_another(client: httpx.Client, finished: Finish) -> None:
    queued = InsertionJob.model_validate(client.post("/v1/insertions", json=BODY).json())
    asked = {"localizer": "attention"}
    waiting = remask(client, queued, asked)
    assert (waiting.status_code, waiting.json()["code"]) == (409, "wrong_state")
    client.post(queued.urls.cancel)
    assert remask(client, finished({**REAL, "options": {"blend_steps": []}}), asked).status_code == 422
    assert remask(client, finished(REAL, tries=2), asked).json()["code"] == "unsupported_option"
    assert remask(client, finished(REAL, tries=1), asked).status_code == 202


def test_the_same_mask_again_is_the_same_job(client: httpx.Client, finished: Finish) -> None:
    parent = finished()
    mask = {"mask": {"data": base64.b64encode(MASK).decode()}}
    first, again = (remask(client, parent, mask, **{"Idempotency-Key": "k"}) for _ in range(2))
    assert first.json()["id"] == again.json()["id"]
    other = {"mask": {"data": base64.b64encode(encoded(Image.new("L", (40, 30), 200))).decode()}}
    reused = remask(client, parent, other, **{"Idempotency-Key": "k"})
    assert reused.json()["code"] == "idempotency_key_reused"
