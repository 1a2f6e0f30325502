"""Putting one object into a picture: a place in its zone, free of the others, with a shadow or a wake."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from toyland.paint import SIZE, Rng
from toyland.zones import Band, Zone

Box = tuple[int, int, int, int]  # left, top, right, bottom in pixels; right and bottom are one past the last
Mask = NDArray[np.bool_]  # (H, W)

GAP = 3  # pixels kept free between two objects' boxes
SHADOW_REACH = 8  # pixels a shadow's blur needs around it


@dataclass(frozen=True)
class PlacedObject:
    """An object in a picture: what, in which zone, its box and its visible pixels (H, W)."""

    name: str
    zone: Zone
    box: Box
    mask: Mask


def find_place(width: int, height: int, zone: Zone, band: Band, taken: list[Box], rng: Rng) -> Box | None:
    """A random box of this size in the band, or nothing when it is too wide or would touch another."""
    if band.right - width <= band.left:
        return None
    left = int(rng.integers(band.left, band.right - width + 1))
    top = _top_in_sky(height, band, rng) if zone is Zone.SKY else _top_on_band(height, band, rng)
    box = (left, top, left + width, top + height)
    return None if any(_touch(box, other) for other in taken) else box


def paste_object(picture: Image.Image, sprite: Image.Image, zone: Zone, box: Box) -> Mask:
    """Draw the sprite (RGBA) into the picture at the box and return its opaque pixels (H, W)."""
    if zone not in (Zone.SKY, Zone.WATER):
        _drop_shadow(picture, box)
    picture.paste(sprite, box[:2], sprite)
    if zone is Zone.WATER:
        _draw_wake(picture, box)
    alpha = Image.new("L", picture.size)
    alpha.paste(sprite.getchannel("A"), box[:2])
    mask: Mask = np.asarray(alpha) > 127
    return mask


def _top_in_sky(height: int, band: Band, rng: Rng) -> int:
    centre = int(rng.integers(band.top, max(band.top + 1, band.bottom - height // 2 + 1)))
    return max(1, min(centre - height // 2, band.bottom - height + 6))


def _top_on_band(height: int, band: Band, rng: Rng) -> int:
    return int(rng.integers(band.top, band.bottom + 1)) - height


def _touch(a: Box, b: Box) -> bool:
    beside = a[2] < b[0] + GAP or b[2] < a[0] + GAP
    return not (beside or a[3] < b[1] + GAP or b[3] < a[1] + GAP)


def _drop_shadow(picture: Image.Image, box: Box) -> None:
    """A blurred dark ellipse under the object's feet."""
    left, _, right, bottom = box
    width, reach = right - left, SHADOW_REACH
    shadow = Image.new("L", (width + 2 * reach, 8 + 2 * reach))
    ellipse = (reach + width * 0.1, reach, reach + width * 0.9, reach + 8)
    ImageDraw.Draw(shadow).ellipse(ellipse, fill=90)
    shadow = shadow.filter(ImageFilter.GaussianBlur(2))
    picture.paste((0, 0, 0), (left - reach, bottom - 5 - reach), shadow)


def _draw_wake(picture: Image.Image, box: Box) -> None:
    left, _, right, bottom = box
    water_line = bottom - 2
    wake = (left - 1, water_line - 2, min(right + 1, SIZE), water_line + 3)
    ImageDraw.Draw(picture, "RGBA").ellipse(wake, fill=(225, 240, 250, 110))
