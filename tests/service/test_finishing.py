"""Sizes keep the picture's shape, and what is right already is not touched."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from service.errors import Refusal
from service.finishing import finish, wanted_size
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


def test_compression_and_size_are_applied() -> None:
    data = encoded(gradient((300, 300)).effect_spread(30), "JPEG", quality=95)
    small = finish(data, (150, 150), "jpeg", 20)
    with Image.open(io.BytesIO(small)) as picture:
        assert (picture.size, picture.format) == ((150, 150), "JPEG")
    assert len(small) < len(finish(data, (150, 150), "jpeg", 95))
