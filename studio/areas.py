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
    return Region(box=list(corners_of(text))) if text.strip() else None


def corners_of(text: str) -> tuple[int, int, int, int]:
    """Four numbers, however they are parted. Raises Unclear."""
    corners = [int(number) for number in re.findall(r"-?\d+", text)]
    if len(corners) != 4 or corners[0] >= corners[2] or corners[1] >= corners[3]:
        raise Unclear("A box is four numbers: left, top, right, bottom, as in 40, 60, 120, 128.")
    left, top, right, bottom = corners
    return left, top, right, bottom


def painted(layers: Sequence[Image.Image]) -> tuple[Region | None, Region | None]:
    """(where it may go, where not): what was painted green, and what red. layers: RGBA, of one size"""
    if not layers:
        return None, None
    red, green, _, alpha = _together(layers).split()
    solid = _solid(alpha)
    greener = ImageChops.subtract(green, red).point(lambda value: 255 * (value > 0))
    redder = ImageChops.subtract(red, green).point(lambda value: 255 * (value > 0))
    return _mask(ImageChops.darker(solid, greener)), _mask(ImageChops.darker(solid, redder))


def painted_mask(layers: Sequence[Image.Image]) -> ImageRef:
    """White wherever anything was painted. layers: RGBA, of one size. Raises Unclear where nothing was."""
    mask = _solid(_together(layers).getchannel("A")) if layers else None
    if mask is None or not mask.getbbox():
        raise Unclear("Paint over the object first: what is painted is kept of it.")
    return as_ref(mask)


def as_ref(mask: Image.Image) -> ImageRef:
    """A picture, sent inside the request."""
    file = BytesIO()
    mask.save(file, "PNG")
    return ImageRef(data=b64encode(file.getvalue()).decode())


def _together(layers: Sequence[Image.Image]) -> Image.Image:
    together = Image.new("RGBA", layers[0].size)
    for layer in layers:
        together.alpha_composite(layer.convert("RGBA").resize(together.size))
    return together


def _solid(alpha: Image.Image) -> Image.Image:
    return alpha.point(lambda value: 255 * (value > SOLID))


def _mask(mask: Image.Image) -> Region | None:
    return Region(mask=as_ref(mask)) if mask.getbbox() else None
