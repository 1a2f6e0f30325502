"""Brushes: a canvas of twice the picture's size, whose reduction smooths every edge, and soft textures."""

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

SIZE = 256  # side of every picture, pixels

Colour = tuple[int, int, int]
Tint = tuple[float, float, float]
Point = tuple[float, float]  # column, row
Rng = np.random.Generator

WHITE_LIGHT: Tint = (1.0, 1.0, 1.0)
_DOUBLE = 2


class Canvas:
    """Drawn in picture pixels, at twice their number. `tint` multiplies each colour that is put on."""

    def __init__(self) -> None:
        self._image = Image.new("RGB", (SIZE * _DOUBLE, SIZE * _DOUBLE))
        self._draw = ImageDraw.Draw(self._image, "RGBA")
        self.tint: Tint = WHITE_LIGHT

    def rows(self, top: float, bottom: float, upper: Colour, lower: Colour) -> None:
        """Fill rows top..bottom, from one colour to another."""
        start, stop = round(top * _DOUBLE), round(bottom * _DOUBLE)
        shading = _gradient(self._lit(upper), self._lit(lower), SIZE * _DOUBLE, max(1, stop - start))
        self._image.paste(shading, (0, start))

    def shape(self, points: Sequence[Point], upper: Colour, lower: Colour) -> None:
        """Fill a polygon, from one colour at its top to another at its lowest point."""
        columns, rows = zip(*((x * _DOUBLE, y * _DOUBLE) for x, y in points), strict=True)
        left, top = max(0, int(min(columns))), max(0, int(min(rows)))
        right, bottom = min(SIZE * _DOUBLE, int(max(columns)) + 1), min(SIZE * _DOUBLE, int(max(rows)) + 1)
        if right <= left or bottom <= top:
            return
        mask = Image.new("L", (right - left, bottom - top))
        outline = [(x - left, y - top) for x, y in zip(columns, rows, strict=True)]
        ImageDraw.Draw(mask).polygon(outline, fill=255)
        shading = _gradient(self._lit(upper), self._lit(lower), right - left, bottom - top)
        self._image.paste(shading, (left, top), mask)

    def ellipse(self, box: Sequence[float], colour: Colour, opacity: float = 1.0) -> None:
        """Fill an ellipse in the box left, top, right, bottom."""
        self._draw.ellipse([side * _DOUBLE for side in box], fill=self._paint(colour, opacity))

    def block(self, box: Sequence[float], colour: Colour, radius: float = 0, opacity: float = 1.0) -> None:
        """Fill a rectangle with round corners."""
        sides = [side * _DOUBLE for side in box]
        self._draw.rounded_rectangle(sides, radius * _DOUBLE, fill=self._paint(colour, opacity))

    def picture(self) -> Image.Image:
        """The canvas reduced to an RGB picture of SIZE."""
        return self._image.reduce(_DOUBLE)

    def _lit(self, colour: Colour) -> Colour:
        red, green, blue = (int(value * factor) for value, factor in zip(colour, self.tint, strict=True))
        return red, green, blue

    def _paint(self, colour: Colour, opacity: float) -> tuple[int, int, int, int]:
        return (*self._lit(colour), round(255 * opacity))


def vary(colour: Sequence[float], rng: Rng, amount: int = 12) -> Colour:
    """The colour with each channel moved by at most `amount`."""
    red, green, blue = np.clip(np.add(colour, rng.integers(-amount, amount + 1, 3)), 0, 255).tolist()
    return int(red), int(green), int(blue)


def pick(colours: Sequence[Colour], rng: Rng) -> Colour:
    """One of several colours, varied."""
    return vary(colours[int(rng.integers(len(colours)))], rng, 8)


def blend(colour: Colour, other: Colour, share: float) -> Colour:
    """A mix of two colours, `share` of it the other one."""
    red, green, blue = (int(a + (b - a) * share) for a, b in zip(colour, other, strict=True))
    return red, green, blue


def darken(colour: Colour, factor: float) -> Colour:
    """The colour times `factor`."""
    return blend((0, 0, 0), colour, factor)


def lighten(colour: Colour, share: float) -> Colour:
    """The colour with a share of white."""
    return blend(colour, (255, 255, 255), share)


def mottle(picture: Image.Image, top: int, amplitude: float, cells: tuple[int, int], rng: Rng) -> Image.Image:
    """Make all below row `top` softly lighter and darker, in cells[0] x cells[1] blobs across and down."""
    field = rng.uniform(-amplitude, amplitude, (cells[1], cells[0])).astype(np.float32)
    size = (SIZE, SIZE - top)
    soft = np.asarray(Image.fromarray(field).resize(size, Image.Resampling.BICUBIC)).astype(np.int16)
    pixels = np.asarray(picture)
    below = pixels[top:].astype(np.int16)
    below += soft[..., None]
    np.clip(below, 0, 255, out=below)
    return Image.fromarray(np.concatenate([pixels[:top], below.astype(np.uint8)]))


def wavy(row: float, height: float, waves: int, rng: Rng, step: int = 8) -> list[Point]:
    """An outline from the left to the right edge around `row`, at most `height` above or below it."""
    columns = np.arange(-step, SIZE + 2 * step, step)
    phases, lengths = rng.uniform(0, 2 * np.pi, waves), rng.uniform(0.6, 1.4, waves) * np.arange(1, waves + 1)
    angles = columns[:, None] / SIZE * 2 * np.pi * lengths + phases
    rows = row + height * np.sin(angles).mean(1)
    return list(zip(columns.tolist(), rows.tolist(), strict=True))


def to_bottom(outline: Sequence[Point], bottom: float = SIZE) -> list[Point]:
    """The polygon between an outline and a row below it."""
    return [*outline, (outline[-1][0], bottom), (outline[0][0], bottom)]


def tint_picture(picture: Image.Image, tint: Tint) -> Image.Image:
    """RGBA with red, green and blue multiplied."""
    pixels: NDArray[np.float32] = np.asarray(picture, dtype=np.float32) * np.array([*tint, 1.0], np.float32)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8), "RGBA")


@cache
def soft_spot() -> Image.Image:
    """A blurred white disc (L), to be stretched and pasted through: shadows, glows and wakes."""
    spot = Image.new("L", (64, 64))
    ImageDraw.Draw(spot).ellipse((14, 14, 50, 50), fill=255)
    return spot.filter(ImageFilter.GaussianBlur(6))


def paste_spot(picture: Image.Image, box: Sequence[float], colour: Colour, opacity: float) -> None:
    """Blend a soft ellipse that fills the box into the picture."""
    left, top = round(box[0]), round(box[1])
    size = (max(2, round(box[2] - box[0])), max(2, round(box[3] - box[1])))
    spot = soft_spot().resize(size, Image.Resampling.BILINEAR).point([int(v * opacity) for v in range(256)])
    picture.paste(colour, (left, top), spot)


def _gradient(upper: Colour, lower: Colour, width: int, height: int) -> Image.Image:
    column = Image.fromarray(np.linspace(upper, lower, height).astype(np.uint8)[:, None])
    return column.resize((width, height), Image.Resampling.NEAREST)
