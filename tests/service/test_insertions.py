"""Insertions over HTTP, from submission to purge, for tenants who must not see each other."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis import Redis

from api_schemas.jobs import InsertionJob
from job_store.artifacts import ArtifactMissing, ArtifactStore
from job_store.jobs import JobStore
from job_store.tickets import queue
from job_store.workers import WorkerRegistry
from runtime.settings import Settings
from runtime.valkey import EmbeddedValkey
from tests.figures import Figure
from tests.service import pictures
from tests.service.conftest import BODY, CARD, make_settings, serving
from tests.service.pictures import encoded, gradient

pytestmark = pytest.mark.usefixtures("worker")
IMAGE_BODY = {**BODY, "source": {"kind": "image", "image": {"part": "photo"}, "prompt": "a photo of a room"}}


def submit(client: httpx.Client, body: object = BODY, **headers: str) -> dict:
    answer = client.post("/v1/insertions", json=body, headers=headers)
    assert answer.status_code == 202, answer.text
    job: dict = answer.json()
    return job


def with_image(image: dict[str, str]) -> dict:
    return {**BODY, "source": {"kind": "image", "image": image, "prompt": "a photo of a room"}}


def test_submitted_job_is_stored_completed_and_ticketed(
    client: httpx.Client, store: JobStore, redis: Redis
) -> None:
    answer = client.post("/v1/insertions", json={**BODY, "seeds": [], "metadata": {"order": "4711"}})
    job = InsertionJob.model_validate(answer.json())
    assert answer.headers["Location"] == job.urls.self == f"{client.base_url}/v1/insertions/{job.id}"
    assert answer.headers["Retry-After"] == "1"
    assert (job.status, job.model, job.metadata) == ("queued", CARD.name, {"order": "4711"})
    assert job.queue is not None
    assert job.queue.position == 0
    assert job.request.preset == "made"
    assert job.request.options.num_inference_steps == 10
    assert len(job.request.seeds) == 1
    assert store.get(job.id, "acme").request == job.request
    assert queue(redis, CARD.name).count == 1


def test_a_picture_comes_as_part_data_url_or_id(
    client: httpx.Client, store: JobStore, artifacts: ArtifactStore
) -> None:
    data = encoded(gradient(), "JPEG", quality=95)
    part = client.post(
        "/v1/insertions",
        files={"request": (None, json.dumps(IMAGE_BODY)), "photo": ("x.gif", data, "image/gif")},
    ).json()
    text = base64.b64encode(data).decode()
    inline = [
        submit(client, with_image({"data": spelt})) for spelt in (text, f"data:image/png;base64,{text}")
    ]
    uploaded = client.post("/v1/images", content=data, headers={"Content-Type": "image/jpeg"}).json()
    by_id = submit(client, with_image({"id": uploaded["id"]}))
    taken = []
    for job in (part, *inline, by_id):
        key = store.get(job["id"]).source_key
        assert key
        taken.append(artifacts.get(key))
        assert job["request"]["options"]["strict_background"] is True
    assert len(set(taken)) == 1
    assert taken[0].startswith(b"\x89PNG")
    assert inline[0]["request"]["source"]["image"]["data"].startswith("sha256:")


def test_redis_holds_no_picture(client: httpx.Client, redis: Redis) -> None:
    data = encoded(gradient((300, 300)).effect_spread(50))
    submit(client, with_image({"data": base64.b64encode(data).decode()}))
    sizes = [redis.memory_usage(key) for key in redis.scan_iter()]
    assert max(int(size or 0) for size in sizes) < 8192 < len(data)


@pytest.mark.parametrize(
    ("change", "code", "path"),
    [
        ({"subject": "do"}, "subject_not_in_prompt", None),
        ({"prompt": "a photo of a dog and a Zebra"}, "unknown_words", None),
        ({"prompt": "a dog " * 10}, "invalid_request", "prompt"),
        ({"model": "other"}, "unknown_model", None),
        ({"preset": "other"}, "unknown_preset", None),
        ({"options": {"localizer": "clipseg"}}, "unsupported_option", None),
        (
            {"options": {"num_inference_steps": 5, "blend_steps": [5]}},
            "invalid_request",
            "options.blend_steps.0",
        ),
        ({"options": {"guidance_scale": 99}}, "invalid_request", "options.guidance_scale"),
        ({"seeds": [1, 1]}, "invalid_request", ""),
        ({"sauce": 1}, "invalid_request", "sauce"),
        ({"webhook": {"url": "ftp://x"}}, "invalid_request", "webhook.url"),
        ({"source": {"kind": "generated", "prompt": "a room", "width": 130}}, "unsupported_size", None),
        (
            {"source": {"kind": "generated", "prompt": "a room", "width": 256, "height": 64}},
            "unsupported_size",
            None,
        ),
        ({"source": {"kind": "image", "prompt": "a", "image": {}}}, "invalid_request", "source.image.image"),
        (
            {"source": {"kind": "image", "prompt": "a", "image": {"part": "x"}}},
            "invalid_request",
            "source.image.part",
        ),
        (
            {"source": {"kind": "image", "prompt": "a", "image": {"data": "%"}}},
            "invalid_request",
            "source.image.data",
        ),
        ({"source": {"kind": "image", "prompt": "a", "image": {"id": "img_0"}}}, "source_unavailable", None),
        (
            {"source": {"kind": "image", "prompt": "a", "image": {"url": "http://127.0.0.1:9/"}}},
            "source_unavailable",
            None,
        ),
        ({"metadata": {"long": "x" * 70_000}}, "invalid_request", None),
    ],
)
def test_what_cannot_be_done_is_refused_with_its_code(
    client: httpx.Client, store: JobStore, change: dict, code: str, path: str | None
) -> None:
    answer = client.post("/v1/insertions", json={**BODY, **change})
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, code), problem
    if path is not None:
        assert path in [error["path"] for error in problem["errors"]] or path == problem["errors"][0]["path"]
    assert store.list("acme") == ([], None)


def test_unknown_words_come_with_the_known_ones(client: httpx.Client) -> None:
    problem = client.post("/v1/insertions", json={**BODY, "prompt": "A dog, a zebra!"}).json()
    assert problem["data"]["unknown"] == ["zebra"]
    assert "dog" in problem["data"]["known_words"]


@pytest.mark.fault(41)
@pytest.mark.parametrize(
    "name", [*pictures.BROKEN, *pictures.FOREIGN, *pictures.UNSUPPORTED, *pictures.TAKEN]
)
def test_every_picture_is_taken_or_refused(client: httpx.Client, name: str) -> None:
    corpus = {**pictures.BROKEN, **pictures.FOREIGN, **pictures.UNSUPPORTED, **pictures.TAKEN}
    answer = client.post("/v1/images", files={"file": ("a.png", corpus[name](), "image/png")})
    assert answer.status_code == (201 if name in pictures.TAKEN else 422), answer.text


@pytest.mark.fault(45)
def test_a_name_and_a_type_make_no_png_of_a_foreign_file(client: httpx.Client, figure: Figure) -> None:
    answers = [
        client.post("/v1/images", files={"file": ("a.png", make(), "image/png")})
        for make in pictures.FOREIGN.values()
    ]
    figure(45, "foreign files", len(answers))
    figure(45, "foreign files taken", sum(answer.status_code not in (415, 422) for answer in answers))


def test_without_a_worker_there_is_no_job(client: httpx.Client, worker: WorkerRegistry) -> None:
    worker.remove("one")
    answer = client.post("/v1/insertions", json=BODY)
    assert (answer.status_code, answer.json()["code"]) == (503, "no_worker")
    assert answer.headers["Retry-After"]


@pytest.mark.fault(28)
def test_fifty_submissions_with_one_key_are_one_job(
    client: httpx.Client, store: JobStore, figure: Figure
) -> None:
    barrier = threading.Barrier(50)

    def one(_: int) -> tuple[str, str | None]:
        barrier.wait()
        answer = client.post("/v1/insertions", json=BODY, headers={"Idempotency-Key": "k"})
        assert answer.status_code == 202
        return answer.json()["id"], answer.headers.get("Idempotent-Replayed")

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(one, range(50)))
    figure(28, "jobs of 50 submissions", len({job_id for job_id, _ in answers}))
    assert sorted(replayed or "" for _, replayed in answers) == [""] + ["true"] * 49
    assert len(store.list("acme")[0]) == 1


@pytest.mark.fault(29)
def test_a_key_belongs_to_what_was_asked_not_to_its_spelling(client: httpx.Client, figure: Figure) -> None:
    first = submit(client, {**BODY, "options": {"guidance_scale": 3}}, **{"Idempotency-Key": "k"})
    spelt = json.dumps({"options": {"guidance_scale": 3.0}, **dict(reversed(BODY.items()))}, indent=4)
    headers = {"Idempotency-Key": "k", "Content-Type": "application/json"}
    assert client.post("/v1/insertions", content=spelt, headers=headers).json()["id"] == first["id"]
    other = client.post("/v1/insertions", json={**BODY, "seeds": [2]}, headers=headers)
    figure(29, "answer to another body", other.status_code)
    assert other.json()["code"] == "idempotency_key_reused"
    assert other.json()["data"] == {"job_id": first["id"]}


@pytest.mark.fault(29)
def test_a_key_belongs_to_the_picture_too(client: httpx.Client, figure: Figure) -> None:
    def send(data: bytes) -> httpx.Response:
        files: dict[str, Any] = {"request": (None, json.dumps(IMAGE_BODY)), "photo": ("a.png", data)}
        return client.post("/v1/insertions", files=files, headers={"Idempotency-Key": "k"})

    one, two = encoded(gradient()), encoded(gradient((64, 64)))
    assert send(one).json()["id"] == send(one).json()["id"]
    other = send(two)
    figure(29, "answer to another body", other.status_code)
    assert other.json()["code"] == "idempotency_key_reused"


def test_a_replay_leaves_no_picture_behind(
    client_of: Callable[[str], httpx.Client], settings: Settings
) -> None:
    client, body = client_of("replayer"), with_image({"data": base64.b64encode(encoded(gradient())).decode()})
    job_id = submit(client, body, **{"Idempotency-Key": "k"})["id"]
    submit(client, body, **{"Idempotency-Key": "k"})
    folder = Path(settings.artifact_url.removeprefix("file://")) / "t" / "replayer"
    assert [path.parent.name for path in folder.rglob("*.png")] == [job_id]


def test_a_full_queue_refuses_and_keeps_no_picture(
    valkey: EmbeddedValkey, client: httpx.Client, tmp_path: Path
) -> None:
    body = with_image({"data": base64.b64encode(encoded(gradient())).decode()})
    with serving(make_settings(valkey, tmp_path, max_queued=1)) as url:
        answers = [client.post(f"{url}/v1/insertions", json=body) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 429]
    assert answers[1].json()["code"] == "queue_full"
    assert answers[1].headers["Retry-After"]
    assert [path.parent.name for path in tmp_path.rglob("*.png")] == [answers[0].json()["id"]]


def test_an_upload_that_is_repeated_is_one_picture(
    client_of: Callable[[str], httpx.Client], settings: Settings
) -> None:
    client = client_of("uploader")

    def upload(data: bytes) -> httpx.Response:
        headers = {"Content-Type": "image/png", "Idempotency-Key": "k"}
        return client.post("/v1/images", content=data, headers=headers)

    first, again, other = (upload(encoded(gradient(size))) for size in ((40, 30), (40, 30), (64, 64)))
    assert (first.status_code, again.status_code) == (201, 201)
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (first.json(), "true")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert other.json()["data"] == {"image_id": first.json()["id"]}
    folder = Path(settings.artifact_url.removeprefix("file://")) / "t" / "uploader"
    assert [path.stem for path in folder.rglob("*.png")] == [first.json()["id"]]


@pytest.mark.fault(30)
@pytest.mark.parametrize("body", [BODY, {**BODY, "seeds": [2]}])
def test_a_key_of_another_tenant_is_another_key(
    client_of: Callable[[str], httpx.Client], body: dict[str, Any], figure: Figure
) -> None:
    headers, mine, theirs = {"Idempotency-Key": "k"}, client_of("acme"), client_of("globex")
    first = mine.post("/v1/insertions", json=BODY, headers=headers)
    other = theirs.post("/v1/insertions", json=body, headers=headers)
    assert (first.status_code, other.status_code) == (202, 202)
    figure(30, "jobs of two tenants with one key", len({first.json()["id"], other.json()["id"]}))
    assert first.json()["id"] not in other.text
    assert "Idempotent-Replayed" not in other.headers
    assert [job["id"] for job in theirs.get("/v1/insertions").json()["data"]] == [other.json()["id"]]


@pytest.mark.fault(47)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""), ("GET", "/events"), ("POST", "/cancel"), ("DELETE", ""), ("POST", "/variations"),
        ("POST", "/mask"),
    ],
)  # fmt: skip
def test_a_foreign_job_answers_like_a_missing_one(
    client_of: Callable[[str], httpx.Client], method: str, path: str, figure: Figure
) -> None:
    job_id, stranger = submit(client_of("acme"))["id"], client_of("globex")
    headers = {"X-Request-Id": "same"}
    foreign = stranger.request(method, f"/v1/insertions/{job_id}{path}", headers=headers)
    missing = stranger.request(method, f"/v1/insertions/ins_missing{path}", headers=headers)
    assert foreign.status_code == missing.status_code == 404
    said = [
        (answer.status_code, answer.content, {k: v for k, v in answer.headers.items() if k != "date"})
        for answer in (foreign, missing)
    ]
    figure(47, "answers that tell a foreign from a missing one", int(said[0] != said[1]))


def test_a_foreign_picture_is_no_source(client_of: Callable[[str], httpx.Client]) -> None:
    data = encoded(gradient())
    image = client_of("acme").post("/v1/images", content=data, headers={"Content-Type": "image/png"}).json()
    stranger = client_of("globex")
    assert stranger.get(f"/v1/images/{image['id']}").status_code == 404
    foreign = stranger.post("/v1/insertions", json=with_image({"id": image["id"]}))
    assert foreign.json()["code"] == "source_unavailable"


def test_etag_stays_until_the_job_changes(client: httpx.Client, finish: Callable[[], str]) -> None:
    path = f"/v1/insertions/{submit(client)['id']}"
    tag = client.get(path).headers["ETag"]
    same = client.get(path, headers={"If-None-Match": f'"other", W/{tag}'})
    assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", tag)
    finish()
    ended = client.get(path, headers={"If-None-Match": tag})
    assert (ended.status_code, ended.json()["status"]) == (200, "succeeded")
    assert "Retry-After" not in ended.headers
    assert client.get(path).headers["ETag"] == ended.headers["ETag"]


def test_a_long_poll_answers_when_the_job_ends(client: httpx.Client, finish: Callable[[], str]) -> None:
    job = submit(client)
    with ThreadPoolExecutor() as pool:
        began = time.monotonic()
        poll = pool.submit(client.get, f"/v1/insertions/{job['id']}", params={"wait": 15})
        finish()
        assert poll.result().json()["status"] == "succeeded"
    assert time.monotonic() - began < 5


def test_a_long_poll_ends_without_the_job(client: httpx.Client) -> None:
    job = submit(client)
    began = time.monotonic()
    assert client.get(job["urls"]["self"], params={"wait": 1}).json()["status"] == "queued"
    assert 0.9 < time.monotonic() - began < 5


def test_prefer_wait_answers_200_with_the_result(
    client: httpx.Client, store: JobStore, finish: Callable[[], str]
) -> None:
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(
            client.post, "/v1/insertions", json=BODY, headers={"Prefer": "respond-async, wait=15"}
        )
        deadline = time.monotonic() + 10
        while not store.ready_count(CARD.name):
            assert time.monotonic() < deadline
        finish()
        result = answer.result()
    assert (result.status_code, result.headers["Preference-Applied"]) == (200, "wait=15")
    link = result.json()["result"]["images"][0]["url"]
    assert httpx.get(link).headers["Content-Type"] == "image/png"


def test_prefer_wait_that_runs_out_is_202(client: httpx.Client) -> None:
    answer = client.post("/v1/insertions", json=BODY, headers={"Prefer": "wait=1"})
    assert (answer.status_code, answer.json()["status"]) == (202, "queued")


def test_list_pages_newest_first(client: httpx.Client) -> None:
    ids = [submit(client)["id"] for _ in range(5)]
    first = client.get("/v1/insertions", params={"limit": 3}).json()
    rest = client.get("/v1/insertions", params={"limit": 3, "cursor": first["next_cursor"]}).json()
    assert [job["id"] for job in first["data"] + rest["data"]] == ids[::-1]
    assert rest["next_cursor"] is None
    client.post(f"/v1/insertions/{ids[2]}/cancel")
    canceled = client.get("/v1/insertions", params={"status": "canceled"}).json()["data"]
    assert [job["id"] for job in canceled] == [ids[2]]
    wrong = client.get("/v1/insertions", params={"cursor": "x"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "invalid_request")


def test_cancel_by_state(client: httpx.Client, store: JobStore, finish: Callable[[], str]) -> None:
    queued, running, ended = (submit(client)["urls"] for _ in range(3))
    assert [client.post(queued["cancel"]).status_code for _ in range(2)] == [200, 200]
    claim = store.claim(CARD.name, "one", 30_000)
    assert claim
    assert [client.post(running["cancel"]).status_code for _ in range(2)] == [202, 202]
    assert store.beat(claim.record.id, claim.token, 30_000).cancel
    finish()
    answer = client.post(ended["cancel"])
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_state")


def test_delete_purges_record_and_pictures(
    client: httpx.Client, store: JobStore, artifacts: ArtifactStore, finish: Callable[[], str]
) -> None:
    job = submit(client, with_image({"data": base64.b64encode(encoded(gradient())).decode()}))
    key = store.get(job["id"]).source_key
    assert key
    assert client.delete(job["urls"]["self"]).status_code == 204
    assert client.get(job["urls"]["self"]).status_code == 404
    with pytest.raises(ArtifactMissing):
        artifacts.get(key)
    running = submit(client)
    assert store.claim(CARD.name, "one", 30_000)
    assert client.delete(running["urls"]["self"]).json()["code"] == "wrong_state"
