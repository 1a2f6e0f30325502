"""Scenes over HTTP: steps, branches, undo, and what becomes of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from typing import Any

import httpx
import pytest
from PIL import Image
from redis import Redis

from api_schemas.errors import JobError
from api_schemas.jobs import Cost, InsertionResult, ResultImage, Timings
from api_schemas.scenes import FIRST, Scene
from job_store.artifacts import (
    ArtifactMissing,
    ArtifactStore,
    attempt_key,
    job_prefix,
    latents_key,
    made_latents_key,
)
from job_store.audit import violations
from job_store.jobs import JobStore
from job_store.keys import Key
from tests.service.conftest import BODY, CARD
from tests.service.pictures import encoded, gradient

pytestmark = pytest.mark.usefixtures("worker")
ADD = {"prompt": "a photo of a room with a dog", "subject": "dog", "seeds": [1, 2]}
Finish = Callable[..., None]


@pytest.fixture
def scene_id(client: httpx.Client) -> str:
    """Of a scene from a picture."""
    asked = {"source": {"kind": "image", "image": {"part": "photo"}, "prompt": "a photo of a room"}}
    photo = ("p.png", encoded(gradient()))
    answer = client.post("/v1/scenes", files={"request": (None, json.dumps(asked)), "photo": photo})
    assert answer.status_code == 201, answer.text
    assert answer.headers["Location"].endswith(f"/v1/scenes/{answer.json()['id']}")
    return str(answer.json()["id"])


@pytest.fixture
def finished(store: JobStore, artifacts: ArtifactStore) -> Finish:
    """Do the next job as a worker would; the second variation is the surest."""

    def done(*, fail: bool = False) -> None:
        claim = store.claim(CARD.name, "one", 30_000)
        assert claim
        record = claim.record
        if fail:
            store.fail(record.id, claim.token, JobError(code="internal", message="no"))
            return
        images = []
        for index, seed in enumerate(record.request.seeds):
            key = attempt_key(record.tenant, record.id, claim.token, f"{index}.png")
            artifacts.put(key, encoded(gradient()))
            artifacts.put(made_latents_key(key, index), f"latents {seed}".encode())
            told = {"seed": seed, "url": key, "cutout_url": key, "width": 40, "height": 30}
            told |= {"subject_found": True, "extended_scale": 1, "rank": len(record.request.seeds) - index}
            images.append(ResultImage.model_validate(told))
        source = record.request.source.kind == "generated"
        result = InsertionResult(
            images=images,
            source_url=images[0].url if source else None,
            timings=Timings(),
            cost=Cost(forwards=20, gpu_seconds=1, source_memory="none"),
        )
        store.commit(record.id, claim.token, result)

    return done


def add(client: httpx.Client, scene_id: str, asked: dict[str, Any] = ADD, **headers: str) -> httpx.Response:
    return client.post(f"/v1/scenes/{scene_id}/insertions", json=asked, headers=headers)


def added(client: httpx.Client, scene_id: str, **more: object) -> str:
    answer = add(client, scene_id, ADD | more)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def read(client: httpx.Client, scene_id: str) -> Scene:
    return Scene.model_validate(client.get(f"/v1/scenes/{scene_id}").json())


def test_a_new_scene_stands_at_its_picture(client: httpx.Client, scene_id: str) -> None:
    scene = read(client, scene_id)
    assert (scene.head.step, scene.history, scene.steps) == (FIRST, [], [])
    assert scene.image_id == scene.head.image_id
    assert scene.url
    with Image.open(BytesIO(httpx.get(scene.url).content)) as shown:
        assert shown.tobytes() == gradient().tobytes()
    assert client.get("/v1/scenes").json()["data"][0]["id"] == scene_id


def test_what_varies_a_step_has_its_latents_in_every_generation(
    client: httpx.Client, artifacts: ArtifactStore, scene_id: str, finished: Finish
) -> None:
    added(client, scene_id)
    finished()
    job = added(client, scene_id, prompt="add a bed", subject=None)
    finished()
    for _ in range(2):
        job = client.post(f"/v1/insertions/{job}/mask", json={"localizer": "attention"}).json()["id"]
        finished()
        assert artifacts.get(latents_key("acme", job)) == b"latents 2"


def test_each_insertion_builds_upon_the_one_before(
    client: httpx.Client, store: JobStore, artifacts: ArtifactStore, scene_id: str, finished: Finish
) -> None:
    one = added(client, scene_id)
    finished()
    two = added(client, scene_id, prompt="add a bed", subject=None)
    record = store.get(two)
    assert (record.parent_id, record.scene_id) == (one, scene_id)
    assert record.request.source.prompt == ADD["prompt"]
    assert record.request.prompt == "a photo of a room with a dog and a bed"
    assert record.request.options.strict_background
    assert {"mask", "cutout"} <= set(record.request.output.include)
    assert artifacts.get(record.source_key or "") == encoded(gradient())
    assert artifacts.get(latents_key("acme", two)) == b"latents 2", "the surest variation's"
    finished()
    scene = read(client, scene_id)
    assert scene.history == [one, two]
    assert (scene.head.step, scene.head.seed) == (two, 2)
    assert [(step.parent, step.parent_seed) for step in scene.steps] == [(FIRST, None), (one, 2)]
    assert all(image.cutout_url for step in scene.steps for image in step.images)
    listed = client.get("/v1/insertions", params={"scene": scene_id}).json()["data"]
    assert {job["id"] for job in listed} == {one, two}
    assert client.get("/v1/insertions", params={"scene": "scn_0"}).json()["data"] == []


def test_undo_and_branches_lose_nothing(
    client: httpx.Client, store: JobStore, scene_id: str, finished: Finish
) -> None:
    one = added(client, scene_id)
    finished()
    two = added(client, scene_id, seed=1)
    finished()
    undone = client.post(f"/v1/scenes/{scene_id}/undo").json()
    assert (undone["head"]["step"], undone["head"]["seed"], undone["history"]) == (one, 1, [one])
    branch = added(client, scene_id)
    finished()
    back = client.post(f"/v1/scenes/{scene_id}/head", json={"step": two, "seed": 1}).json()
    assert (back["history"], back["head"]["seed"]) == ([one, two], 1)
    again = added(client, scene_id, step=FIRST)
    finished()
    scene = read(client, scene_id)
    assert [step.parent for step in scene.steps] == [FIRST, one, one, FIRST]
    assert scene.history == [again]
    assert store.get(branch).source_id == store.get(two).source_id
    assert store.get(again).source_id == store.get(one).source_id
    for _ in range(2):
        scene = Scene.model_validate(client.post(f"/v1/scenes/{scene_id}/undo").json())
    assert (scene.head.step, scene.head.image_id) == (FIRST, scene.image_id)


def test_a_step_that_failed_is_none(client: httpx.Client, scene_id: str, finished: Finish) -> None:
    one = added(client, scene_id)
    finished()
    added(client, scene_id)
    waiting = add(client, scene_id)
    assert (waiting.status_code, waiting.json()["code"]) == (409, "wrong_state")
    finished(fail=True)
    assert read(client, scene_id).head.step == one
    added(client, scene_id)
    assert client.post(f"/v1/scenes/{scene_id}/undo").json()["head"]["step"] == one
    client.delete(f"/v1/insertions/{one}")
    scene = read(client, scene_id)
    assert [step.status for step in scene.steps] == ["deleted", "failed", "queued"]
    assert scene.head.step == FIRST


def test_a_generated_scene_has_its_picture_from_its_first_step(
    client: httpx.Client, store: JobStore, finished: Finish
) -> None:
    scene_id = client.post("/v1/scenes", json={"source": BODY["source"]}).json()["id"]
    assert read(client, scene_id).url is None
    one = added(client, scene_id)
    record = store.get(one)
    assert (record.request.source.kind, record.source_key) == ("generated", None)
    assert record.request.options.strict_background
    finished()
    assert read(client, scene_id).url
    assert store.get(added(client, scene_id)).parent_id == one


def test_a_scene_is_a_source_of_any_insertion(client: httpx.Client, scene_id: str) -> None:
    source = {"kind": "scene", "scene_id": scene_id}
    estimate = client.post("/v1/estimates", json={**ADD, "source": source}).json()
    assert estimate["accepted"], estimate
    job = client.post("/v1/insertions", json={**ADD, "source": source}).json()
    assert job["scene_id"] == scene_id
    assert read(client, scene_id).head.step == job["id"]
    refused = client.post("/v1/estimates", json={**ADD, "source": source}).json()
    assert refused["problem"]["code"] == "wrong_state"


def test_the_same_insertion_again_is_the_same_step(client: httpx.Client, scene_id: str) -> None:
    first, again = (add(client, scene_id, ADD, **{"Idempotency-Key": "k"}) for _ in range(2))
    assert first.json()["id"] == again.json()["id"]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(read(client, scene_id).steps) == 1
    reused = add(client, scene_id, {**ADD, "seeds": [3]}, **{"Idempotency-Key": "k"})
    assert reused.json()["code"] == "idempotency_key_reused"


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({"options": {"strict_background": False}}, 422, "unsupported_option"),
        ({"options": {"blend_steps": []}}, 422, "unsupported_option"),
        ({"output": {"format": "jpeg"}}, 422, "unsupported_option"),
        ({"step": "ins_0"}, 422, "source_unavailable"),
        ({"source": {"kind": "generated", "prompt": "a room"}}, 422, "invalid_request"),
        ({"seeds": list(range(9))}, 422, "invalid_request"),
    ],
)
def test_what_a_scene_cannot_be_built_of_is_refused(
    client: httpx.Client, scene_id: str, more: dict[str, Any], status: int, code: str
) -> None:
    answer = add(client, scene_id, ADD | more)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert read(client, scene_id).steps == []


def test_a_head_is_a_step_of_the_scene(client: httpx.Client, scene_id: str, finished: Finish) -> None:
    one = added(client, scene_id)
    finished()
    path = f"/v1/scenes/{scene_id}/head"
    assert client.post(path, json={"step": "ins_0"}).json()["code"] == "invalid_request"
    assert client.post(path, json={"step": one, "seed": 9}).json()["code"] == "source_unavailable"
    assert client.post(path, json={"step": FIRST}).json()["history"] == []


def test_nobody_elses_scene_is_found(client_of: Callable[[str], httpx.Client], scene_id: str) -> None:
    other, path = client_of("other"), f"/v1/scenes/{scene_id}"
    assert other.get(path).status_code == other.post(f"{path}/undo").status_code == 404
    assert add(other, scene_id).status_code == other.delete(path).status_code == 404
    body = {**ADD, "source": {"kind": "scene", "scene_id": scene_id}}
    assert other.post("/v1/insertions", json=body).json()["code"] == "source_unavailable"
    assert other.get("/v1/scenes").json()["data"] == []


def test_steps_are_kept_as_long_as_their_scene(
    client: httpx.Client, redis: Redis, store: JobStore, scene_id: str, finished: Finish
) -> None:
    one = added(client, scene_id, retain_seconds=60)
    finished()
    added(client, scene_id)
    scene, delete_at = read(client, scene_id), store.get(one).delete_at
    assert delete_at is not None
    assert delete_at >= scene.expires_at
    assert redis.zscore(Key.DELETIONS, one) >= scene.expires_at.timestamp() * 1000  # type: ignore[operator]
    asset = client.get(f"/v1/images/{scene.image_id}").json()
    assert asset["expires_at"] == scene.model_dump(mode="json")["expires_at"]


def test_a_scene_goes_with_all_its_steps(
    client: httpx.Client,
    redis: Redis,
    store: JobStore,
    artifacts: ArtifactStore,
    scene_id: str,
    finished: Finish,
) -> None:
    one = added(client, scene_id)
    finished()
    two = added(client, scene_id)
    claim = store.claim(CARD.name, "one", 30_000)
    assert claim
    three = added(client, scene_id, step=one)
    image = read(client, scene_id).image_id
    assert client.delete(f"/v1/scenes/{scene_id}").status_code == 204
    for path in (f"scenes/{scene_id}", f"insertions/{one}", f"insertions/{three}", f"images/{image}"):
        assert client.get(f"/v1/{path}").status_code == 404
    with pytest.raises(ArtifactMissing):
        artifacts.changed_at(job_prefix("acme", one))
    assert store.beat(two, claim.token, 30_000).cancel, "the step that runs is to stop"
    store.canceled(two, claim.token)
    assert store.sweep(2).deleted == (two,)
    assert violations(redis) == []


def test_scenes_come_in_pages(client: httpx.Client) -> None:
    made = [client.post("/v1/scenes", json={"source": BODY["source"]}).json()["id"] for _ in range(3)]
    page = client.get("/v1/scenes", params={"limit": 2}).json()
    rest = client.get("/v1/scenes", params={"limit": 2, "cursor": page["next_cursor"]}).json()
    assert [one["id"] for one in page["data"] + rest["data"]] == made[::-1]
    assert rest["next_cursor"] is None
    assert client.get("/v1/scenes", params={"cursor": "x"}).json()["code"] == "invalid_request"


def test_a_scene_that_is_asked_for_twice_is_begun_once(client: httpx.Client, redis: Redis) -> None:
    asked = {"source": {"kind": "image", "image": {"part": "photo"}, "prompt": "a photo of a room"}}

    def begin(data: bytes, **changes: object) -> httpx.Response:
        files: dict[str, Any] = {"request": (None, json.dumps(asked | changes)), "photo": ("a.png", data)}
        return client.post("/v1/scenes", files=files, headers={"Idempotency-Key": "k"})

    first, again = begin(encoded(gradient())), begin(encoded(gradient()))
    assert (first.status_code, again.status_code) == (201, 201)
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (first.json(), "true")
    assert len(client.get("/v1/scenes").json()["data"]) == 1
    for other in (begin(encoded(gradient((64, 64)))), begin(encoded(gradient()), metadata={"a": 1})):
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
        assert other.json()["data"] == {"scene_id": first.json()["id"]}
    assert len([*redis.scan_iter(f"{Key.IMAGE}*")]) == 1  # of the scene that was begun


def test_seeds_of_a_step_differ(client: httpx.Client, scene_id: str) -> None:
    answer = client.post(f"/v1/scenes/{scene_id}/insertions", json={**ADD, "seeds": [1, 1]})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
