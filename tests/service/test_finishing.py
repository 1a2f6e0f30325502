"""Sizes keep the picture's shape, and what is right already is not touched."""

from __future__ import annotations

import io
from pathlib import Path

import c2pa
import pytest
from PIL import Image

from api_schemas.image_edits import Format
from runtime.content_credentials import Credentials, created
from runtime.digital_source import found_in, packet, saving
from service.errors import Refusal
from service.finishing import finish, wanted_size
from tests.certificates import chain_in
from tests.service.pictures import encoded, gradient


@pytest.mark.parametrize(
    ("asked", "own", "size"),
    [
        (None, (40, 30), (40, 30)),
        ("auto", (40, 30), (40, 30)),
        ("80x60", (40, 30), (80, 60)),
        ("20x15", (40, 30), (20, 15)),
        ("1024x1024", (7, 7), (1024, 1024)),
        ("100x67", (1500, 1000), (100, 67)),
    ],
)
def test_a_size_of_the_same_shape_is_given(asked: str | None, own: tuple[int, int], size: object) -> None:
    assert wanted_size(asked, own) == size


@pytest.mark.parametrize("asked", ["80x80", "40x20", "8200x6150", "8000x6000"])
def test_other_shapes_and_too_much_are_refused(asked: str) -> None:
    with pytest.raises(Refusal) as refused:
        wanted_size(asked, (40, 30))
    assert refused.value.errors[0].path == "size"


@pytest.mark.parametrize("form", ["png", "jpeg", "webp"])
def test_what_is_right_stays_as_it_is(form: str) -> None:
    data = encoded(gradient(), form)
    assert finish(data, (40, 30), form, None) is data  # type: ignore[arg-type]
    assert finish(encoded(gradient()), (40, 30), "png", 10) == encoded(gradient())


@pytest.mark.parametrize("form", ["png", "jpeg", "webp"])
def test_what_made_it_stays_said(form: Format) -> None:
    told = packet("trainedAlgorithmicMedia")
    data = encoded(gradient(), form, **saving(told, form))
    with Image.open(io.BytesIO(finish(data, (20, 15), form, None))) as picture:
        assert found_in(picture.info) == told


def test_a_finished_picture_is_signed_as_one_of_what_it_was(tmp_path: Path) -> None:
    chain = chain_in(tmp_path)
    credentials = Credentials(chain.certificate.read_bytes(), chain.key.read_bytes(), "es256")
    first = credentials.sign(encoded(gradient()), "png", created("trainedAlgorithmicMedia"))
    assert finish(first, (40, 30), "png", None, credentials) is first
    with c2pa.Reader("image/png", io.BytesIO(finish(first, (20, 15), "png", None, credentials))) as reader:
        manifest = reader.get_active_manifest()
    assert manifest
    assert manifest["ingredients"][0]["active_manifest"]
    [actions] = [one["data"]["actions"] for one in manifest["assertions"] if "actions" in one["label"]]
    assert [action["action"] for action in actions] == ["c2pa.opened", "c2pa.resized", "c2pa.transcoded"]


def test_compression_and_size_are_applied() -> None:
    data = encoded(gradient((300, 300)).effect_spread(30), "JPEG", quality=95)
    small = finish(data, (150, 150), "jpeg", 20)
    with Image.open(io.BytesIO(small)) as picture:
        assert (picture.size, picture.format) == ((150, 150), "JPEG")
    assert len(small) < len(finish(data, (150, 150), "jpeg", 95))
