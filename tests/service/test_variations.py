"""More of the same source: what a variation takes from the job it varies, and what it does not need of it."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest

from api_schemas.jobs import Cost, Inferred, InsertionJob, InsertionResult, Timings
from job_store.artifacts import ArtifactMissing, ArtifactStore, latents_key, mask_key
from job_store.jobs import JobStore
from tests.service.conftest import BODY, CARD
from tests.service.pictures import encoded, gradient

pytestmark = pytest.mark.usefixtures("worker")
PICTURE = {"data": base64.b64encode(encoded(gradient())).decode()}
REAL = {**BODY, "source": {"kind": "image", "image": PICTURE, "prompt": "a photo of a room"}}


def submit(client: httpx.Client, body: object = REAL) -> InsertionJob:
    answer = client.post("/v1/insertions", json=body)
    assert answer.status_code == 202, answer.text
    return InsertionJob.model_validate(answer.json())


def vary(client: httpx.Client, job: InsertionJob, changes: dict[str, Any], **headers: str) -> httpx.Response:
    return client.post(f"/v1/insertions/{job.id}/variations", json=changes, headers=headers)


def varied(client: httpx.Client, job: InsertionJob, changes: dict[str, Any]) -> InsertionJob:
    answer = vary(client, job, changes)
    assert answer.status_code == 202, answer.text
    return InsertionJob.model_validate(answer.json())


def test_a_variation_is_of_the_same_source(
    client: httpx.Client, store: JobStore, artifacts: ArtifactStore
) -> None:
    parent = submit(client)
    child = varied(client, parent, {"seeds": [7, 8], "options": {"extended_scale": 1.2}})
    assert child.parent_id == parent.id
    assert child.request.seeds == [7, 8]
    assert child.request.options.extended_scale == 1.2
    assert child.request.source == parent.request.source
    assert child.request.options.structure_transfer_step == parent.request.options.structure_transfer_step
    one, other = store.get(parent.id), store.get(child.id)
    assert one.source_key != other.source_key
    assert (one.source_id, one.shape, one.size) == (other.source_id, other.shape, other.size)
    width, height = gradient().size
    assert one.size == f"{width}x{height}"
    assert artifacts.get(str(one.source_key)) == artifacts.get(str(other.source_key))
    assert varied(client, child, {}).parent_id == child.id


def test_a_region_s_mask_is_the_parent_s_or_another(
    client: httpx.Client, store: JobStore, artifacts: ArtifactStore
) -> None:
    half = {"mask": {"data": base64.b64encode(encoded(gradient())).decode()}}
    parent = submit(client, {**REAL, "region": half})
    child = varied(client, parent, {"seeds": [7], "avoid": half})
    own = [
        artifacts.get(mask_key(store.get(child.id).tenant, child.id, name)) for name in ("region", "avoid")
    ]
    assert own == [artifacts.get(mask_key(store.get(parent.id).tenant, parent.id, "region"))] * 2
    avoid = store.get(child.id).request.avoid
    assert avoid is not None
    assert avoid.mask is not None
    assert str(avoid.mask.data).startswith("sha256:")


def test_a_generated_source_is_varied_too(client: httpx.Client, store: JobStore) -> None:
    parent = submit(client, BODY)
    child = varied(client, parent, {"seeds": [7]})
    assert store.get(child.id).source_key is None
    assert store.get(child.id).source_id == store.get(parent.id).source_id
    assert store.get(child.id).size == f"{CARD.native_width}x{CARD.native_height}"


def test_a_new_prompt_names_a_new_subject(client: httpx.Client) -> None:
    child = varied(client, submit(client), {"prompt": "a photo of a room with a bed"})
    assert (child.request.subject, child.request.source.prompt) == ("bed", "a photo of a room")
    answer = vary(client, submit(client), {"prompt": "a photo of a room with a zebra"})
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_words")


def test_what_the_picture_told_is_not_asked_again(client: httpx.Client, store: JobStore) -> None:
    parent = submit(client)
    claim = store.claim(CARD.name, "one", 30_000)
    assert claim
    seen = Inferred(source_prompt="a red room", prompt="a red room with a dog", subject="dog")
    cost = Cost(forwards=20, gpu_seconds=1, source_memory="none")
    store.commit(
        parent.id, claim.token, InsertionResult(images=[], timings=Timings(), cost=cost, inferred=seen)
    )
    child = varied(client, parent, {"seeds": [2]})
    assert (child.request.source.prompt, child.request.prompt) == (seen.source_prompt, seen.prompt)


def test_a_variation_outlives_its_parent(
    client: httpx.Client, store: JobStore, artifacts: ArtifactStore
) -> None:
    parent = submit(client)
    child = varied(client, parent, {})
    assert client.delete(f"/v1/insertions/{parent.id}").status_code == 204
    assert artifacts.get(str(store.get(child.id).source_key))
    assert vary(client, parent, {}).status_code == 404


def test_of_an_uploaded_picture_nobody_looks_for_latents(
    client: httpx.Client, store: JobStore, artifacts: ArtifactStore
) -> None:
    child = varied(client, submit(client), {})
    artifacts.put(latents_key(store.get(child.id).tenant, child.id), b"not of its source")
    grandchild = varied(client, child, {})
    with pytest.raises(ArtifactMissing):
        artifacts.get(latents_key(store.get(grandchild.id).tenant, grandchild.id))


def test_a_picture_that_is_gone_cannot_be_varied(
    client: httpx.Client, store: JobStore, artifacts: ArtifactStore
) -> None:
    parent = submit(client)
    artifacts.delete(str(store.get(parent.id).source_key))
    answer = vary(client, parent, {})
    assert (answer.status_code, answer.json()["code"]) == (422, "source_unavailable")


def test_a_repeated_variation_is_one_job(client: httpx.Client) -> None:
    parent, other = submit(client), submit(client)
    again = [vary(client, parent, {"seeds": [3]}, **{"Idempotency-Key": "k"}) for _ in range(2)]
    assert again[0].json()["id"] == again[1].json()["id"]
    assert again[1].headers["Idempotent-Replayed"] == "true"
    for job, seed in ((parent, 4), (other, 3)):
        answer = vary(client, job, {"seeds": [seed]}, **{"Idempotency-Key": "k"})
        assert answer.json()["code"] == "idempotency_key_reused"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"source": {}}, "invalid_request"),
        ({"model": "small"}, "invalid_request"),
        ({"seeds": [1, 1]}, "invalid_request"),
        ({"options": {"num_inference_steps": 1}}, "invalid_request"),
        ({"options": {"structure_transfer_step": 9}}, "invalid_request"),
        ({"preset": "other"}, "unknown_preset"),
        ({"mode": "turbo"}, "unsupported_option"),
        ({"webhook": {"url": "ftp://x"}}, "invalid_request"),
    ],
)
def test_what_cannot_be_varied_is_refused(client: httpx.Client, changes: dict[str, Any], code: str) -> None:
    answer = vary(client, submit(client), changes)
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text


def test_a_variation_is_json(client: httpx.Client) -> None:
    path = f"/v1/insertions/{submit(client).id}/variations"
    assert client.post(path, files={"request": (None, "{}")}).json()["code"] == "unsupported_media_type"
    broken = client.post(path, content=b"{", headers={"Content-Type": "application/json"})
    assert broken.json()["code"] == "malformed_request"


def test_lineage_is_listed(client: httpx.Client) -> None:
    parent, _ = submit(client), submit(client)
    children = [varied(client, parent, {}) for _ in range(3)]
    page = client.get("/v1/insertions", params={"parent": parent.id, "limit": 2}).json()
    rest = client.get(
        "/v1/insertions", params={"parent": parent.id, "limit": 2, "cursor": page["next_cursor"]}
    ).json()
    assert [job["id"] for job in page["data"] + rest["data"]] == [job.id for job in children][::-1]
    later = client.get("/v1/insertions", params={"created_after": "2999-01-01T00:00:00Z"}).json()
    assert later["data"] == []
    before = client.get("/v1/insertions", params={"created_before": "2999-01-01T00:00:00+02:00"}).json()
    assert len(before["data"]) == 5
    wrong = client.get("/v1/insertions", params={"created_before": "yesterday"})
    assert (wrong.status_code, wrong.json()["errors"][0]["path"]) == (422, "query.created_before")
