"""Where in a large picture a model looks closer. Pure geometry: knows no model and no pixels' values.

Sizes are (width, height), boxes (left, top, right, bottom), in pixels of the large picture unless said
otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from workers.compositing import working_size

LARGE = 4
"""A picture of more than this many times the model's most pixels is large: edited whole, what is added would
be drawn at less than half the resolution of the rest."""
CONTEXT = 2.0
"""Side of the crop over the longer one of the subject's box: what lies around tells the model light and
scale."""
WORTHWHILE = 0.75
"""A crop whose enlargement is not below this share of the whole picture's shows little more than that."""

Box = tuple[int, int, int, int]
Size = tuple[int, int]


@dataclass(frozen=True)
class Served:
    """What a model works on: `native_pixels` best, `max_pixels` at most, sides a multiple of `multiple`, one
    at most `max_aspect` times the other."""

    native_pixels: int
    max_pixels: int
    multiple: int
    max_aspect: float


@dataclass(frozen=True)
class Crop:
    """A part of a picture and the size that the model works on it at."""

    left: int
    top: int
    size: Size
    working: Size

    @property
    def box(self) -> Box:
        """In the picture."""
        return (self.left, self.top, self.left + self.size[0], self.top + self.size[1])

    @property
    def enlargement(self) -> float:
        """Pixels of the picture along a side for each that the model draws; 1 is native."""
        return self.size[0] / self.working[0]


def is_large(size: Size, max_pixels: int) -> bool:
    """Whether a picture is edited in a crop."""
    return size[0] * size[1] > LARGE * max_pixels


def crop_around(box: Box, picture: Size, served: Served) -> Crop:
    """The part of a large `picture` in which the model sees `box` and its surroundings, as near to one pixel
    for one as it can; square, as models are trained, where the picture is wide and high enough.

    Raises `UnsupportedSize` for a picture more oblong than the model serves.
    """
    side = max(CONTEXT * max(box[2] - box[0], box[3] - box[1]), sqrt(served.native_pixels))
    wide, high = _within(side, picture, served.native_pixels)
    # served.native_pixels below: a crop is never smaller, so it is never enlarged for the model
    working = working_size(
        round(wide),
        round(high),
        served.multiple,
        served.native_pixels,
        served.max_pixels,
        served.max_aspect,
    )
    scale = max(1.0, sqrt(wide * high / served.max_pixels))
    width, height = (
        most if wished >= most else min(most, round(cells * scale))
        for most, wished, cells in zip(picture, (wide, high), working, strict=True)
    )
    left = _start((box[0] + box[2]) / 2, width, picture[0])
    top = _start((box[1] + box[3]) / 2, height, picture[1])
    return Crop(left, top, (width, height), working)


def _within(side: float, picture: Size, native_pixels: int) -> tuple[float, float]:
    """A square of `side`, no side beyond the picture's: what one loses there the other gains up to
    `native_pixels`."""
    wide, high = min(side, picture[0]), min(side, picture[1])
    wide = min(picture[0], max(wide, native_pixels / high))
    return wide, min(picture[1], max(high, native_pixels / wide))


def _start(middle: float, length: int, side: int) -> int:
    """First pixel of a stretch of `length` about `middle`, moved to lie in 0..side."""
    return min(max(0, round(middle - length / 2)), side - length)


def is_worthwhile(crop: Crop, whole: Size, working: Size) -> bool:
    """Whether the crop shows more than the `whole` picture, worked on at `working`, does."""
    return crop.enlargement < WORTHWHILE * whole[0] / working[0]
