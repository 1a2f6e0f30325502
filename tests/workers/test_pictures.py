"""Judging and encoding."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from api_schemas.insertions import Output
from api_schemas.jobs import Cost, Timings
from runtime.digital_source import SourceType, found_in, packet
from tests.job_store.samples import request
from workers.pictures import Format, decode, encode, judge, made_by, pictures
from workers.runner import OutputImage, RunError, RunOutput

EDITED: SourceType = "compositeWithTrainedAlgorithmicMedia"
GENERATED: SourceType = "trainedAlgorithmicMedia"
EVERYTHING = Output(format="jpeg", include=["mask", "attention", "cutout", "source", "overlay"])
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
    names = [picture.name for picture in pictures(OUTPUT, Output(include=["attention"]), EDITED)]
    assert names == ["0.png", "0-attention.png", "1.png"]


def test_every_picture_has_its_name_field_and_format() -> None:
    found = list(pictures(OUTPUT, EVERYTHING, EDITED))
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


@pytest.mark.parametrize(
    ("made", "unmarked"),
    [
        (EDITED, {"mask_url", "attention_url", "source_url"}),
        (GENERATED, {"mask_url", "attention_url"}),
    ],
)
def test_what_shows_something_the_model_made_says_so(made: SourceType, unmarked: set[str]) -> None:
    for picture in pictures(OUTPUT, EVERYTHING, made):
        with Image.open(BytesIO(picture.data)) as opened:
            expected = None if picture.field in unmarked else packet(made)
            assert (picture.made and packet(picture.made), found_in(opened.info)) == (expected, expected)


@pytest.mark.fault(44)
@pytest.mark.parametrize("form", ["png", "jpeg", "webp"])
def test_a_result_carries_our_packet_and_nothing_of_its_source(form: Format) -> None:
    """Not even if the intake had let it through."""
    exif = Image.Exif()
    exif[0x0110] = "SecretCamera"
    dirty = BytesIO()
    GRADIENT.save(
        dirty, "JPEG", exif=exif, comment="SecretComment", icc_profile=b"SecretProfile", xmp=b"SecretXmp"
    )
    data = encode(decode(dirty.getvalue()), form, EDITED)
    assert b"Secret" not in data
    with Image.open(BytesIO(data)) as picture:
        assert found_in(picture.info) == packet(EDITED)
        assert not picture.getexif()
        assert not {"icc_profile", "comment", "exif", "photoshop"} & picture.info.keys()
    assert data.count(b"<x:xmpmeta") == 1
    assert [name for name in (b"eXIf", b"tEXt", b"zTXt", b"iCCP", b"EXIF") if name in data] == []


@pytest.mark.parametrize("form", ["png", "jpeg", "webp"])
def test_a_packet_changes_no_pixel(form: Format) -> None:
    assert decode(encode(GRADIENT, form, EDITED)).tobytes() == decode(encode(GRADIENT, form)).tobytes()


def test_the_same_picture_has_the_same_file() -> None:
    assert encode(GRADIENT, "png", EDITED) == encode(GRADIENT, "png", EDITED)


def test_only_what_grew_out_of_words_is_the_models_altogether() -> None:
    assert made_by(request()) == GENERATED
    image = {"kind": "image", "image": {"id": "img_1"}, "prompt": "a room"}
    assert made_by(request(source=image)) == EDITED


@pytest.mark.fault(23)
@pytest.mark.parametrize("color", ["black", "white", "#123456"])
def test_a_picture_of_one_color_is_no_result(color: str) -> None:
    with pytest.raises(RunError) as raised:
        judge(Image.new("RGB", (48, 32), color))
    assert raised.value.code == "invalid_output"
    judge(GRADIENT)
