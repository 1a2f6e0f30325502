"""What a job made is a picture of its tenant's like any upload."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from job_store.artifacts import ArtifactStore
from job_store.jobs import JobStore
from tests.service.conftest import BODY
from tests.service.pictures import encoded, gradient

pytestmark = pytest.mark.usefixtures("worker")


@pytest.fixture
def image_id(client: httpx.Client, finish: Callable[[], str]) -> str:
    """Of the one picture of a finished job."""
    client.post("/v1/insertions", json=BODY)
    (image,) = client.get(f"/v1/insertions/{finish()}").json()["result"]["images"]
    return str(image["id"])


def test_a_result_is_an_image(client: httpx.Client, image_id: str) -> None:
    asset = client.get(f"/v1/images/{image_id}").json()
    assert (asset["id"], asset["width"], asset["height"]) == (image_id, 40, 30)
    assert httpx.get(asset["url"]).content == encoded(gradient())


def test_a_result_is_a_source_that_outlives_its_job(
    client: httpx.Client, store: JobStore, artifacts: ArtifactStore, image_id: str
) -> None:
    source = {"kind": "image", "image": {"id": image_id}, "prompt": "a photo of a room"}
    job = client.post("/v1/insertions", json={**BODY, "source": source}).json()
    assert job["request"]["source"] == source | {
        "image": {**dict.fromkeys(("url", "data", "part")), "id": image_id}
    }
    record = store.get(job["id"])
    (parent,) = (one for one in client.get("/v1/insertions").json()["data"] if one["id"] != job["id"])
    assert client.delete(f"/v1/insertions/{parent['id']}").status_code == 204
    assert artifacts.get(record.source_key or "").startswith(b"\x89PNG")
    assert client.get(f"/v1/images/{image_id}").status_code == 404
    assert (
        client.post("/v1/insertions", json={**BODY, "source": source}).json()["code"] == "source_unavailable"
    )


def test_nobody_elses_result_is_found(client_of: Callable[[str], httpx.Client], image_id: str) -> None:
    other = client_of("other")
    assert other.get(f"/v1/images/{image_id}").status_code == 404
    source = {"kind": "image", "image": {"id": image_id}, "prompt": "a photo of a room"}
    assert (
        other.post("/v1/insertions", json={**BODY, "source": source}).json()["code"] == "source_unavailable"
    )


def test_there_are_no_more_images_than_variations(client: httpx.Client, image_id: str) -> None:
    assert client.get(f"/v1/images/{image_id[:-1]}1").status_code == 404
