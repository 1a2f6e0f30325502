"""The rules of where a thing may be: in its zone, as large as its depth says, and not in another's place.

`toyland.plausible` asks the same rules for every place at once, so they work on numbers and arrays alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toyland.hosts import GRIPS, HELD_SIZE, HOSTS
from toyland.objects import ObjectKind
from toyland.paint import SIZE, Rng
from toyland.zones import CARRIED, HANGING, Band, Zone

Box = tuple[int, int, int, int]  # left, top, right, bottom in pixels; right and bottom are one past the last
Mask = NDArray[np.bool_]  # (H, W)

USUAL_SIZES, SMALL_SIZES, BIG_SIZES = (0.87, 1.13), (0.70, 0.77), (1.26, 1.36)  # factors of the usual size
CARRIED_SIZES = (0.92, 1.08)
MAX_OVERLAP = 0.25  # of the smaller of two boxes may be covered by the other one
SMALLEST = 28  # px: what would look smaller is not put there
DEPTH_STEP = 5  # rows between the feet of two things of which one is in front of the other


@dataclass(frozen=True)
class Pose:
    """A thing before it is drawn: what, how painted, where.

    host: index of the thing that wears or holds it
    words: what a caption may call it
    """

    name: str
    zone: Zone
    box: Box
    colour: str
    words: str
    host: int | None = None

    @property
    def foot(self) -> int:
        """Its lowest row, one past."""
        return self.box[3]


def longest_side(kind: ObjectKind, band: Band, foot: int, factor: float) -> int:
    """Pixels of the object's longer side when it stands at this row."""
    return round(kind.size * band.scale(foot) * factor)


def find_box(size: tuple[int, int], zone: Zone, band: Band, foot: int, rng: Rng) -> Box | None:
    """A box of this (width, height) somewhere in the band, or nothing when it does not fit."""
    width, height = size
    if band.right - width < band.left or foot - height < (band.top if zone in HANGING else 0):
        return None
    left = int(rng.integers(band.left, band.right - width + 1))
    return left, foot - height, left + width, foot


def draw_foot(zone: Zone, band: Band, height: int, rng: Rng) -> int:
    """A row for the thing's foot; in sky and on walls the whole `height` lies in the band."""
    top = band.top + height if zone in HANGING else band.top
    return int(rng.integers(min(top, band.bottom), band.bottom + 1))


def is_free(box: tuple[Any, Any, Any, Any], zone: Zone, others: Sequence[Pose]) -> Any:
    """Whether a box (four numbers, or four arrays that broadcast) leaves the others seen and is seen."""
    free: Any = True
    for other in others:
        free = free & _clear_of(box, zone, other)
    return free


def _clear_of(box: tuple[Any, Any, Any, Any], zone: Zone, other: Pose) -> Any:
    left, top, right, bottom = box
    wide = np.minimum(right, other.box[2]) - np.maximum(left, other.box[0])
    high = np.minimum(bottom, other.box[3]) - np.maximum(top, other.box[1])
    shared = np.maximum(wide, 0) * np.maximum(high, 0)
    if zone in HANGING or other.zone in HANGING:
        return shared == 0
    smaller = np.minimum((right - left) * (bottom - top), _area(other.box))
    apart = np.abs(bottom - other.foot) >= (0 if CARRIED & {zone, other.zone} else DEPTH_STEP)
    return (shared == 0) | (apart & (shared <= MAX_OVERLAP * smaller))


def carried_box(name: str, zone: Zone, host: Pose, aspect: float, factor: float, usual: float) -> Box:
    """Where a hat or a held thing of this aspect (height / width) is.

    factor: its size in relation to what is usual
    usual: pixels of the longer side of a held thing at the host's depth
    """
    spots = HOSTS[host.name]
    left, top, right, bottom = host.box
    if zone is Zone.HEAD:
        width = spots.head_width * (right - left) * factor
        x, y = _at(host, spots.head)
        return _box(x - width / 2, y - width * aspect, width, width * aspect)
    assert spots.hand is not None
    longest = usual * HELD_SIZE * factor
    width, height = (longest, longest * aspect) if aspect <= 1 else (longest / aspect, longest)
    x, y = _at(host, spots.hand)
    grip = GRIPS[name]
    return _box(x - grip[0] * width, y - grip[1] * height, width, height)


def in_picture(box: Box) -> bool:
    """Whether the whole box can be seen."""
    return box[0] >= 0 and box[1] >= 0 and box[2] <= SIZE and box[3] <= SIZE


def _at(host: Pose, spot: tuple[float, float]) -> tuple[float, float]:
    left, top, right, bottom = host.box
    return left + spot[0] * (right - left), top + spot[1] * (bottom - top)


def _box(left: float, top: float, width: float, height: float) -> Box:
    x, y = round(left), round(top)
    return x, y, x + max(1, round(width)), y + max(1, round(height))


def _area(box: Box) -> int:
    return (box[2] - box[0]) * (box[3] - box[1])
