"""Judging and encoding."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from api_schemas.insertions import Output
from api_schemas.jobs import Cost, Timings
from workers.pictures import Format, decode, encode, judge, pictures
from workers.runner import OutputImage, RunError, RunOutput

GRADIENT = Image.linear_gradient("L").resize((48, 32)).convert("RGB")
FLAT = Image.new("L", (48, 32), 255)
OUTPUT = RunOutput(
    (
        OutputImage(GRADIENT, {"seed": 1}, FLAT, FLAT, GRADIENT.convert("RGBA"), GRADIENT),
        OutputImage(GRADIENT, {"seed": 2}),
    ),
    Timings(),
    Cost(forwards=1, gpu_seconds=1, source_memory="none"),
    source=GRADIENT,
)  # fmt: skip


def test_only_wanted_pictures_are_given() -> None:
    names = [picture.name for picture in pictures(OUTPUT, Output(include=["attention"]))]
    assert names == ["0.png", "0-attention.png", "1.png"]


def test_every_picture_has_its_name_field_and_format() -> None:
    wanted = Output(format="jpeg", include=["mask", "attention", "cutout", "source", "overlay"])
    found = list(pictures(OUTPUT, wanted))
    assert [(picture.name, picture.field, picture.index) for picture in found] == [
        ("0.jpg", "url", 0),
        ("0-mask.png", "mask_url", 0),
        ("0-attention.png", "attention_url", 0),
        ("0-cutout.png", "cutout_url", 0),
        ("0-overlay.png", "overlay_url", 0),
        ("1.jpg", "url", 1),
        ("source.jpg", "source_url", None),
    ]
    formats = [Image.open(BytesIO(picture.data)).format for picture in found]
    assert formats == ["JPEG", "PNG", "PNG", "PNG", "PNG", "JPEG", "JPEG"]


@pytest.mark.parametrize(("format", "difference"), [("png", 0), ("jpeg", 6), ("webp", 6)])
def test_a_picture_survives_its_file(format: Format, difference: int) -> None:
    back = decode(encode(GRADIENT, format))
    assert (back.mode, back.size) == ("RGB", GRADIENT.size)
    pairs = zip(GRADIENT.tobytes(), back.tobytes(), strict=True)
    assert max(abs(one - other) for one, other in pairs) <= difference


@pytest.mark.fault(23)
@pytest.mark.parametrize("color", ["black", "white", "#123456"])
def test_a_picture_of_one_color_is_no_result(color: str) -> None:
    with pytest.raises(RunError) as raised:
        judge(Image.new("RGB", (48, 32), color))
    assert raised.value.code == "invalid_output"
    judge(GRADIENT)
