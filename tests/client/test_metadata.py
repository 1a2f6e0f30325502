"""A picture's metadata ends at the door: no file that the service keeps or gives out carries any of it."""

from __future__ import annotations

import pytest

from api_schemas.insertions import InsertionRequest
from client.client import Addit
from tests.client.conftest import Served
from tests.figures import Figure
from tests.service.pictures import full_of_metadata, metadata_in


@pytest.mark.fault(44)
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_no_file_of_a_job_tells_of_its_source(served: Served, kind: str, figure: Figure) -> None:
    body = {
        "prompt": "a room with a dog",
        "subject": "dog",
        "seeds": [1, 2],
        "output": {"include": ["mask", "source"]},
    }
    with Addit(served.url, served.key) as addit:
        image = addit.upload(full_of_metadata(kind))
        source = {"kind": "image", "image": {"id": image.id}, "prompt": "a room"}
        job = addit.insert(InsertionRequest.model_validate(body | {"source": source}))
        assert job.result
        given = [addit.download(picture.url) for picture in job.result.images]
        stored = (served.folder / "artifacts").rglob("*.png")
        kept = [path.read_bytes() for path in stored if {job.id, image.id} & {*path.parts, path.stem}]
    assert kept
    files = given + kept
    figure(44, "files scanned", len(files))
    figure(44, "metadata left", sum(len(metadata_in(png)) for png in files))
