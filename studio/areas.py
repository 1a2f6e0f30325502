"""Where the object may and may not go: from a box typed or strokes painted to the API's regions."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from io import BytesIO

from PIL import Image, ImageChops

from api_schemas.insertions import ImageRef, Region

SOLID = 96  # of 255: fainter pixels are the soft edge of a stroke


class Unclear(ValueError):
    """What was typed can not be meant; the message tells a person what could."""


def box_of(text: str) -> Region | None:
    """`left, top, right, bottom` in pixels; None for nothing. Raises Unclear."""
    if not text.strip():
        return None
    corners = [int(number) for number in re.findall(r"-?\d+", text)]
    if len(corners) != 4 or corners[0] >= corners[2] or corners[1] >= corners[3]:
        raise Unclear("A box is four numbers: left, top, right, bottom, as in 40, 60, 120, 128.")
    return Region(box=corners)


def painted(layers: Sequence[Image.Image]) -> tuple[Region | None, Region | None]:
    """(where it may go, where not): what was painted green, and what red. layers: RGBA, of one size"""
    if not layers:
        return None, None
    size = layers[0].size
    together = Image.new("RGBA", size)
    for layer in layers:
        together.alpha_composite(layer.convert("RGBA").resize(size))
    red, green, _, alpha = together.split()
    solid = alpha.point(lambda value: 255 * (value > SOLID))
    greener = ImageChops.subtract(green, red).point(lambda value: 255 * (value > 0))
    redder = ImageChops.subtract(red, green).point(lambda value: 255 * (value > 0))
    return _mask(ImageChops.darker(solid, greener)), _mask(ImageChops.darker(solid, redder))


def as_ref(mask: Image.Image) -> ImageRef:
    """A picture, sent inside the request."""
    file = BytesIO()
    mask.save(file, "PNG")
    return ImageRef(data=b64encode(file.getvalue()).decode())


def _mask(mask: Image.Image) -> Region | None:
    return Region(mask=as_ref(mask)) if mask.getbbox() else None
