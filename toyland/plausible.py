"""Where an object could be in a sample's scene: known exactly, since the world itself would put it there.

Only one rule of the world is left out: that of two overlapping things at least 60 % of the pixels are seen,
which hardly ever forbids what their boxes allow.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toyland.belonging import standing_zones
from toyland.objects import find_object
from toyland.paint import SIZE
from toyland.placement import (
    BIG_SIZES,
    CARRIED_SIZES,
    SMALL_SIZES,
    SMALLEST,
    USUAL_SIZES,
    Box,
    Mask,
    carried_box,
    in_picture,
    is_free,
)
from toyland.posing import free_hosts, others_than
from toyland.sprites import sprite_size
from toyland.world import Sample
from toyland.zones import CARRIED, HANGING, Band, Zone

HELD_SHARE = 0.5  # of a box must lie in the region: the paper's affordance
SUPPORTED_SIZES = (0.6, 1.7)  # of what is usual at a depth
FOOT_MARGIN = 8  # px: a detector's boxes are not exact to the pixel
_FACTORS = (*SMALL_SIZES, USUAL_SIZES[0], 1.0, USUAL_SIZES[1], *BIG_SIZES)
_ROW_STEP = 2  # of feet that are tried


@dataclass(frozen=True)
class Support:
    """A zone, or a head or hand, that could bear the object; `size` is the usual longer side there at
    `band.bottom`, pixels."""

    zone: Zone
    band: Band
    size: float

    def bears(self, box: Box) -> bool:
        """Whether the box's foot (in sky and on walls: its middle) is here and its size fits."""
        left, top, right, bottom = box
        row = (top + bottom) // 2 if self.zone in HANGING | CARRIED else bottom
        margin = 0 if self.zone in HANGING else FOOT_MARGIN
        here = self.band.top - margin <= row <= self.band.bottom + margin
        beside = self.band.left <= (left + right) / 2 <= self.band.right
        ratio = max(right - left, bottom - top) / (self.size * self.band.scale(bottom))
        return here and beside and SUPPORTED_SIZES[0] <= ratio <= SUPPORTED_SIZES[1]


@dataclass(frozen=True)
class Places:
    """Where one object could be in one scene.

    region: (H, W), the union of all boxes it could have
    supports_there: what could bear it
    """

    region: Mask
    supports_there: tuple[Support, ...]

    @property
    def zones(self) -> tuple[Zone, ...]:
        """Kinds of place where it could be."""
        return tuple(dict.fromkeys(support.zone for support in self.supports_there))

    def holds(self, box: Box) -> bool:
        """Whether at least half of the box lies in the region."""
        left, top, right, bottom = box
        area = (right - left) * (bottom - top)
        inside = self.region[max(0, top) : max(0, bottom), max(0, left) : max(0, right)].sum()
        return bool(area > 0 and inside >= HELD_SHARE * area)

    def supports(self, box: Box) -> bool:
        """Whether the box also stands on something that bears the object, as large as its depth says."""
        return self.holds(box) and any(support.bears(box) for support in self.supports_there)


def places_for(sample: Sample, name: str) -> Places | None:
    """Where the object could be put into the sample; nothing when it has no place there."""
    kind = find_object(name)
    found = [_in_zone(sample, name, zone) for zone in standing_zones(kind, sample.scene)]
    found += [
        _carried(sample, name, zone, host)
        for zone in kind.zones
        if zone in CARRIED
        for host in free_hosts(name, zone, sample.poses)
    ]
    found = [(region, support) for region, support in found if region.any()]
    if not found:
        return None
    regions, supports = zip(*found, strict=True)
    return Places(np.logical_or.reduce(regions), tuple(supports))


def _in_zone(sample: Sample, name: str, zone: Zone) -> tuple[Mask, Support]:
    """Every box in a zone: rows of feet by sizes by columns."""
    kind, band = find_object(name), sample.backdrop.zones[zone]
    feet = np.arange(band.top, band.bottom + 1, _ROW_STEP)
    longest = np.round(kind.size * np.outer([band.scale(int(foot)) for foot in feet], _FACTORS)).astype(int)
    widths, heights = (
        np.array([sprite_size(sample.sprites, name, side) for side in longest.ravel().tolist()])
        .astype(np.int32)
        .T
    )
    bottoms = np.repeat(feet, len(_FACTORS)).astype(np.int32)
    lowest = band.top if zone in HANGING else 0
    fits = (longest.ravel() >= SMALLEST) & (bottoms - heights >= lowest)
    widths, heights, bottoms = widths[fits, None], heights[fits, None], bottoms[fits, None]
    lefts = np.arange(SIZE, dtype=np.int32)
    box = (lefts, bottoms - heights, lefts + widths, bottoms)
    allowed = (lefts >= band.left) & (lefts + widths <= band.right) & is_free(box, zone, sample.poses)
    return _union(allowed, widths, bottoms - heights, bottoms), Support(zone, band, kind.size)


def _union(
    allowed: NDArray[np.bool_], widths: NDArray[Any], tops: NDArray[Any], bottoms: NDArray[Any]
) -> Mask:
    """Pixels that any of the allowed boxes covers.

    allowed: (N, SIZE), by left column; widths, tops, bottoms: (N, 1), each row one kind of box
    """
    counts = np.cumsum(np.pad(allowed, ((0, 0), (1, 0))), axis=1, dtype=np.int32)
    columns = np.arange(SIZE)
    before = np.take_along_axis(counts, np.maximum(columns + 1 - widths, 0), axis=1)
    covered = (counts[:, 1:] > before).astype(np.int32)
    starts = np.zeros((SIZE + 1, SIZE), np.int32)
    np.add.at(starts, tops[:, 0], covered)
    np.add.at(starts, bottoms[:, 0], -covered)
    region: Mask = np.cumsum(starts, axis=0)[:SIZE] > 0
    return region


def _carried(sample: Sample, name: str, zone: Zone, host: int) -> tuple[Mask, Support]:
    """The boxes at one head or hand."""
    bearer = sample.poses[host]
    width, height = sprite_size(sample.sprites, name, 100)
    usual = find_object(name).size * sample.backdrop.zones[bearer.zone].scale(bearer.foot)
    boxes = [
        carried_box(name, zone, bearer, height / width, factor, usual) for factor in (*CARRIED_SIZES, 1.0)
    ]
    others = others_than(host, sample.poses)
    region = np.zeros((SIZE, SIZE), np.bool_)
    for left, top, right, bottom in _possible(boxes, zone, others):
        region[top:bottom, left:right] = True
    left, top, right, bottom = boxes[-1]
    return region, Support(zone, Band(top, bottom, left, right), max(right - left, bottom - top))


def _possible(boxes: Sequence[Box], zone: Zone, others: Sequence[Any]) -> list[Box]:
    return [box for box in boxes if in_picture(box) and is_free(box, zone, others)]
