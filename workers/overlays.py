"""Drawings of what happened to a picture: where attention lay, what the segmenter was asked, what it found.

Pure: pictures (RGB) come in and stay as they were, new ones go out; boxes are (left, top, right, bottom),
points (x, y), both in pixels. Works in 8 bits, so that a large photograph costs no more than its copies.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from PIL import Image, ImageDraw

from workers.addit.localizers import SegmenterPrompt
from workers.compositing import grow

HOT = np.array([(20, 12, 54), (101, 21, 110), (205, 66, 71), (251, 155, 26), (252, 246, 160)])
"""Colours of attention from 0 to 1, evenly apart; darker is always less."""
HEAT = 0.75
"""Opacity of the strongest attention."""
FOUND, ASKED = (64, 224, 208), (255, 255, 255)
"""Colours of what the segmenter found and of what it was asked."""
FINE = 200
"""Lines are as many times finer than the picture's shorter side."""
GAP = 4
"""Pixels between the pictures of a sheet."""


def heat(picture: Image.Image, attention: Image.Image) -> Image.Image:
    """The picture under its attention map (mode L, any size), the more covered the more attention."""
    spread = attention.resize(picture.size, Image.Resampling.BICUBIC)
    places = np.linspace(0, len(HOT) - 1, 256)
    tables = [np.interp(places, range(len(HOT)), colour).round().astype(int).tolist() for colour in HOT.T]
    glow = Image.merge("RGB", [spread.point(table) for table in tables])
    return Image.composite(glow, picture, spread.point([round(HEAT * level) for level in range(256)]))


def outline(picture: Image.Image, mask: Image.Image) -> Image.Image:
    """The picture with a line around what `mask` (L, of its size) shows."""
    inside = np.asarray(mask)
    edge = Image.fromarray(grow(inside, _line(picture)) - inside)
    return Image.composite(Image.new("RGB", picture.size, FOUND), picture, edge)


def points(picture: Image.Image, where: Iterable[tuple[float, float]]) -> Image.Image:
    """The picture with a ringed dot at each point."""
    marked, line = picture.copy(), _line(picture)
    draw = ImageDraw.Draw(marked)
    for x, y in where:
        for radius, colour in ((3 * line, (0, 0, 0)), (2 * line, ASKED)):
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    return marked


def box(picture: Image.Image, corners: tuple[float, float, float, float]) -> Image.Image:
    """The picture with a frame just inside `corners`."""
    marked = picture.copy()
    left, top, right, bottom = corners
    ImageDraw.Draw(marked).rectangle((left, top, right - 1, bottom - 1), outline=ASKED, width=_line(picture))
    return marked


def asked(picture: Image.Image, prompt: SegmenterPrompt, width: int) -> Image.Image:
    """The picture with the box and points that a segmenter was asked for, in pixels of one of `width`."""
    scale = picture.width / width
    marked = picture
    if prompt.box is not None:
        left, top, right, bottom = prompt.box
        marked = box(marked, (left * scale, top * scale, right * scale, bottom * scale))
    return points(marked, [(x * scale, y * scale) for x, y in prompt.points])


def contact_sheet(pictures: Sequence[Image.Image], columns: int, side: int) -> Image.Image:
    """Pictures row by row on white, each within a square of `side` pixels, without words."""
    rows = math.ceil(len(pictures) / columns)
    sheet = Image.new("RGB", (columns * (side + GAP) - GAP, rows * (side + GAP) - GAP), (255, 255, 255))
    for index, picture in enumerate(pictures):
        scale = side / max(picture.size)
        fitted = picture.convert("RGB").resize(
            (max(1, round(picture.width * scale)), max(1, round(picture.height * scale))),
            Image.Resampling.LANCZOS,
        )
        row, column = divmod(index, columns)
        left, top = ((side - length) // 2 for length in fitted.size)
        sheet.paste(fitted, (column * (side + GAP) + left, row * (side + GAP) + top))
    return sheet


def _line(picture: Image.Image) -> int:
    return max(1, round(min(picture.size) / FINE))
