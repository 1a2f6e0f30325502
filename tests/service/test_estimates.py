"""Estimates: what a submission would come to, while nothing is made of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis import Redis

from api_schemas.estimates import Estimate
from api_schemas.jobs import Progress
from api_schemas.models import Lending, Transformer
from job_store.jobs import JobStore
from job_store.outlook import Outlook, shape_of
from job_store.workers import WorkerRegistry
from runtime.settings import Settings
from runtime.valkey import EmbeddedValkey
from tests.service.conftest import BODY, CARD, make_settings, put_worker, serving
from tests.service.pictures import encoded, gradient

COUNTED = CARD.model_copy(
    update={
        "transformer": Transformer(double_blocks=1, single_blocks=2, guides_twice=False),
        "lending": dict.fromkeys(
            CARD.presets, Lending(double_until=3, single_until=6, source_guidance_scale=1)
        ),
    }
)
IMAGE_BODY = {**BODY, "source": {"kind": "image", "image": {"part": "photo"}, "prompt": "a photo of a room"}}


@pytest.fixture(autouse=True)
def counted(worker: WorkerRegistry) -> None:
    worker.announce(COUNTED)


def estimate(client: httpx.Client, body: object = BODY, picture: bytes | None = None) -> Estimate:
    parts: dict[str, Any] = {"request": (None, json.dumps(body)), "photo": ("a.png", picture)}
    answer = (
        client.post("/v1/estimates", json=body) if picture is None
        else client.post("/v1/estimates", files=parts)
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    return Estimate.model_validate(answer.json())


def test_nothing_is_made_of_an_estimate(client: httpx.Client, store: JobStore, settings: Settings) -> None:
    folder = Path(settings.artifact_url.removeprefix("file://"))
    before = set(folder.rglob("*"))
    found = estimate(client, {**IMAGE_BODY, "seeds": []}, encoded(gradient()))
    assert found.accepted
    assert store.list("acme") == ([], None)
    assert store.counts() == {}
    assert set(folder.rglob("*")) == before


def test_what_is_inferred_is_named(client: httpx.Client) -> None:
    source = {"kind": "image", "image": {"part": "photo"}}
    asked = {"source": {**source, "prompt": "a photo of a room"}, "prompt": "a photo of a room with a dog"}
    found = estimate(client, asked, encoded(gradient()))
    assert (found.inferred, found.left_open) == (["subject"], [])
    assert found.request is not None
    assert (found.request.subject, found.request.seeds, found.request.preset) == ("dog", [], "real")


def test_what_only_the_picture_tells_is_left_open(client: httpx.Client, worker: WorkerRegistry) -> None:
    worker.announce(COUNTED.model_copy(update={"captioner": True}))
    asked = {"source": {"kind": "image", "image": {"part": "photo"}}, "prompt": "a photo with a dog"}
    found = estimate(client, asked | {"prompt": "add a dog"}, encoded(gradient()))
    assert "source.prompt" in found.left_open


def test_the_cost_is_counted(client: httpx.Client) -> None:
    """Ten steps from the third on: eight of the target's a seed, ten of a generated source."""
    cost = estimate(client, {**BODY, "seeds": [1, 2]}).cost
    assert cost is not None
    assert (cost.forwards, cost.forwards_remembered, cost.forwards_at_most) == (26, 16, 26)
    real = estimate(client, IMAGE_BODY, encoded(gradient())).cost
    assert real is not None
    assert (real.forwards, real.forwards_remembered) == (8 + 5, 8)  # the source's from step 2 to 6
    large = estimate(client, IMAGE_BODY, encoded(gradient((600, 500)))).cost
    assert large is not None
    assert large.forwards_at_most > large.forwards


def test_a_model_that_does_not_tell_its_cost(client: httpx.Client, worker: WorkerRegistry) -> None:
    worker.announce(CARD)
    found = estimate(client)
    assert (found.accepted, found.cost, found.eta_seconds) == (True, None, None)


def test_the_time_is_that_of_the_work_before_and_its_own(
    client: httpx.Client, redis: Redis, store: JobStore, worker: WorkerRegistry
) -> None:
    assert estimate(client).eta_seconds is None
    shape = shape_of(128, 128, CARD.max_pixels)
    Outlook(redis).note(CARD.name, shape, forwards=10, seconds=5)
    found = estimate(client)
    assert found.eta_seconds is not None
    assert found.eta_seconds.p50 == 18 * 0.5 < found.eta_seconds.p90
    assert (found.workers, found.jobs_before) == (1, 0)
    for _ in range(2):
        client.post("/v1/insertions", json=BODY)
    claim = store.claim(CARD.name, "one", 30_000)
    assert claim
    store.report(claim.record.id, claim.token, Progress(stage="denoise", step=1, total=2, percent=50))
    put_worker(worker, state="busy")  # it will remember the source, of the one that waits and of this one
    later = estimate(client)
    assert later.eta_seconds is not None
    assert (later.jobs_before, later.eta_seconds.p50) == (1, (8 + 9 + 8) * 0.5)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"prompt": "a photo of a zebra", "subject": "zebra"}, "unknown_words"),
        ({"subject": "bed"}, "subject_not_in_prompt"),
        ({"model": "other"}, "unknown_model"),
        ({"source": {"kind": "generated", "prompt": "a room", "width": 130}}, "unsupported_size"),
        ({"source": {"kind": "image", "image": {"id": "img_0"}, "prompt": "a room"}}, "source_unavailable"),
        ({"source": {"kind": "image", "image": {"data": "aaaa"}, "prompt": "a room"}}, "unsupported_image"),
        ({"webhook": {"url": "ftp://x"}}, "invalid_request"),
    ],
)
def test_what_would_be_refused_is_told_why(client: httpx.Client, change: dict[str, Any], code: str) -> None:
    refused = client.post("/v1/insertions", json={**BODY, **change}).json()
    if refused["code"] == "invalid_request":
        assert client.post("/v1/estimates", json={**BODY, **change}).json()["code"] == code
        return
    found = estimate(client, {**BODY, **change})
    assert not found.accepted
    assert found.problem is not None
    assert (found.problem.code, found.problem.detail) == (code, refused["detail"])


def test_no_worker_is_a_reason(client: httpx.Client, worker: WorkerRegistry) -> None:
    worker.remove("one")
    found = estimate(client)
    assert found.problem is not None
    assert (found.accepted, found.problem.code) == (False, "no_worker")


def test_a_full_queue_is_a_reason(valkey: EmbeddedValkey, client: httpx.Client, tmp_path: Path) -> None:
    with serving(make_settings(valkey, tmp_path, max_queued=1)) as url:
        client.post(f"{url}/v1/insertions", json=BODY)
        problem = client.post(f"{url}/v1/estimates", json=BODY).json()["problem"]
    assert problem["code"] == "queue_full"


def test_what_is_no_request_is_a_problem(client: httpx.Client) -> None:
    for body, status in ((b"{", 400), (b"{}", 422)):
        answer = client.post("/v1/estimates", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == status


def test_a_source_that_a_worker_remembers_is_known(client: httpx.Client, store: JobStore) -> None:
    picture = client.post(
        "/v1/images", content=encoded(gradient()), headers={"Content-Type": "image/png"}
    ).json()["id"]
    by_id = {**BODY, "source": {"kind": "image", "image": {"id": picture}, "prompt": "a photo of a room"}}
    for body in (BODY, by_id):
        before = estimate(client, body)
        assert not before.source_remembered
        job_id = client.post("/v1/insertions", json=body).json()["id"]
        assert not estimate(client, body).source_remembered
        store.claim(CARD.name, "one", 30_000)
        assert estimate(client, {**body, "prompt": "a photo of a red dog"}).source_remembered
        client.post(f"/v1/insertions/{job_id}/cancel")
    inside = estimate(client, IMAGE_BODY, encoded(gradient()))
    assert not inside.source_remembered


def test_a_remembered_ground_of_a_scene_is_known(client: httpx.Client, store: JobStore) -> None:
    source = {"kind": "generated", "prompt": "a photo of a room", "seed": 3}
    scene_id = client.post("/v1/scenes", json={"source": source}).json()["id"]
    body = {**BODY, "source": {"kind": "scene", "scene_id": scene_id, "step": "first"}}
    assert not estimate(client, body).source_remembered
    client.post("/v1/insertions", json=body)
    store.claim(CARD.name, "one", 30_000)
    assert estimate(client, body).source_remembered
