"""Boxes and strokes as regions."""

from __future__ import annotations

from base64 import b64decode
from io import BytesIO

import pytest
from PIL import Image, ImageColor

from api_schemas.insertions import Region
from studio.areas import Unclear, box_of, painted, painted_mask
from studio.words import AVOID_COLOUR, REGION_COLOUR


def layer(colour: str, box: tuple[int, int, int, int]) -> Image.Image:
    drawn = Image.new("RGBA", (32, 16))
    drawn.paste(ImageColor.getrgb(colour), box)
    return drawn


def mask_of(region: Region | None) -> Image.Image:
    assert region is not None
    assert region.mask is not None
    assert region.mask.data is not None
    return Image.open(BytesIO(b64decode(region.mask.data)))


def test_green_is_where_it_shall_be_and_red_where_not() -> None:
    region, avoid = painted([layer(REGION_COLOUR, (0, 0, 8, 16)), layer(AVOID_COLOUR, (20, 0, 32, 16))])
    assert mask_of(region).getbbox() == (0, 0, 8, 16)
    assert mask_of(avoid).getbbox() == (20, 0, 32, 16)


def test_what_is_painted_last_counts() -> None:
    region, avoid = painted([layer(REGION_COLOUR, (0, 0, 32, 16)), layer(AVOID_COLOUR, (16, 0, 32, 16))])
    assert mask_of(region).getbbox() == (0, 0, 16, 16)
    assert mask_of(avoid).getbbox() == (16, 0, 32, 16)


def test_nothing_painted_asks_for_nothing() -> None:
    assert painted([]) == (None, None)
    assert painted([Image.new("RGBA", (8, 8))]) == (None, None)


def test_a_mask_is_white_where_anything_was_painted_and_needs_something_painted() -> None:
    mask = painted_mask([layer(REGION_COLOUR, (0, 0, 8, 16)), layer(AVOID_COLOUR, (8, 0, 12, 8))])
    picture = mask_of(Region(mask=mask))
    assert (picture.getbbox(), picture.getpixel((10, 4)), picture.getpixel((10, 12))) == (
        (0, 0, 12, 16),
        255,
        0,
    )
    for nothing in ([], [Image.new("RGBA", (8, 8))]):
        with pytest.raises(Unclear, match="Paint over the object"):
            painted_mask(nothing)


def test_a_box_is_four_numbers_however_they_are_parted() -> None:
    assert box_of("40, 60, 120 128") == Region(box=[40, 60, 120, 128])
    assert box_of("  ") is None


@pytest.mark.parametrize("text", ["1 2 3", "a box", "50 0 10 10", "1 2 3 4 5"])
def test_anything_else_is_unclear(text: str) -> None:
    with pytest.raises(Unclear, match="four numbers"):
        box_of(text)
