"""Where a subject shall be: boxes and points against the picture, masks taken in like the picture itself."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import httpx
import pytest
from PIL import Image
from redis import Redis

from api_schemas.insertions import InsertionRequest
from job_store.artifacts import ArtifactStore, mask_key
from service.errors import Refusal
from service.regions import check_areas
from tests.service.conftest import BODY
from tests.service.pictures import encoded, gradient

MASK = encoded(gradient((40, 30)).convert("L"))
TEXT = base64.b64encode(MASK).decode()


def check(**areas: object) -> None:
    body = {**BODY, "source": {"kind": "image", "image": {"id": "img_1"}}, **areas}
    check_areas(InsertionRequest.model_validate(body), (128, 96))


@pytest.mark.parametrize("field", ["region", "avoid"])
@pytest.mark.parametrize(
    "area",
    [
        {"box": [128, 0, 200, 96]},
        {"box": [-20, 0, 0, 96]},
        {"box": [0, 96, 128, 100]},
        {"points": [[5, 5], [128, 5]]},
        {"points": [[5, -1]]},
    ],
)
def test_what_lies_outside_the_picture_is_refused(field: str, area: dict[str, Any]) -> None:
    with pytest.raises(Refusal, match="outside") as refused:
        check(**{field: area})
    assert (refused.value.code, refused.value.status) == ("region_empty", 422)
    assert refused.value.data == {"field": field, "width": 128, "height": 96}


@pytest.mark.parametrize(
    "area", [{"box": [-5, -5, 1, 1]}, {"points": [[127, 95]]}, {"mask": {"id": "img_2"}}]
)
def test_what_touches_the_picture_is_not(area: dict[str, Any]) -> None:
    check(region=area, avoid=area)


def test_a_generated_source_has_the_size_it_will_have() -> None:
    source = {"kind": "generated", "prompt": "a photo of a room", "width": 128, "height": 64}
    body = {**BODY, "source": source, "region": {"points": [[100, 80]]}}
    with pytest.raises(Refusal, match="128x64"):
        check_areas(InsertionRequest.model_validate(body), None)


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize(
    ("change", "code", "path"),
    [
        ({"region": {"box": [10, 10, 10, 40]}}, "invalid_request", "region.box"),
        ({"region": {"box": [1, 2, 3]}}, "invalid_request", "region.box"),
        ({"avoid": {"points": []}}, "invalid_request", "avoid.points"),
        ({"avoid": {"points": [[1, 2, 3]]}}, "invalid_request", "avoid.points.0"),
        ({"region": {}}, "invalid_request", "region"),
        ({"region": {"box": [0, 0, 9, 9], "points": [[1, 1]]}}, "invalid_request", "region"),
        ({"region": {"box": [900, 0, 999, 50]}}, "region_empty", None),
        ({"region": {"mask": {"part": "x"}}}, "invalid_request", "region.mask.part"),
        ({"avoid": {"mask": {"data": "%"}}}, "invalid_request", "avoid.mask.data"),
        ({"avoid": {"mask": {"data": "aGVsbG8="}}}, "unsupported_image", None),
        ({"region": {"mask": {"id": "img_0"}}}, "source_unavailable", None),
    ],
)
def test_a_bad_area_is_refused_with_its_path(
    client: httpx.Client, change: dict[str, Any], code: str, path: str | None
) -> None:
    answer = client.post("/v1/insertions", json={**BODY, **change})
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, code)
    assert path is None or path in [error["path"] for error in problem["errors"]]


@pytest.mark.usefixtures("worker")
def test_a_mask_comes_as_part_data_or_id_and_the_job_owns_it(
    client: httpx.Client, artifacts: ArtifactStore, redis: Redis
) -> None:
    uploaded = client.post("/v1/images", content=MASK, headers={"Content-Type": "image/png"}).json()
    masks = {"region": {"mask": {"part": "here"}}, "avoid": {"mask": {"part": "not_here"}}}
    parts = client.post(
        "/v1/insertions",
        files={
            "request": (None, json.dumps({**BODY, **masks})),
            "here": ("a.png", MASK, "image/png"),
            "not_here": ("b.png", MASK, "image/png"),
        },
    )
    assert parts.status_code == 202, parts.text
    inline = client.post(
        "/v1/insertions",
        json={**BODY, "region": {"mask": {"data": TEXT}}, "avoid": {"mask": {"id": uploaded["id"]}}},
    )
    assert inline.status_code == 202, inline.text
    for job in (parts.json(), inline.json()):
        for field in masks:
            with Image.open(io.BytesIO(artifacts.get(mask_key("acme", job["id"], field)))) as mask:
                assert (mask.size, mask.mode) == ((40, 30), "RGB")
    assert inline.json()["request"]["region"]["mask"]["data"].startswith("sha256:")
    assert inline.json()["request"]["avoid"]["mask"]["id"] == uploaded["id"]
    assert not any(TEXT.encode() in (redis.dump(key) or b"") for key in redis.scan_iter())


@pytest.mark.usefixtures("worker")
def test_the_same_mask_is_the_same_request_however_it_comes(client: httpx.Client) -> None:
    key = {"Idempotency-Key": "masked"}
    body = {**BODY, "region": {"mask": {"data": TEXT}}}
    other = {**BODY, "region": {"mask": {"data": base64.b64encode(encoded(gradient())).decode()}}}
    spelt = {**BODY, "region": {"mask": {"data": f"data:image/png;base64,{TEXT}"}}}
    first, again, different = (
        client.post("/v1/insertions", json=asked, headers=key) for asked in (body, spelt, other)
    )
    assert first.json()["id"] == again.json()["id"]
    assert different.json()["code"] == "idempotency_key_reused"
