"""Whether the subject is there, where it may be, and where it was asked to be: all from detectors' boxes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from evaluation.suites.items import Relation
from workers.addit.boxes import Box, share_on

HELD_SHARE = 0.5
"""Of a box that must lie at a plausible place (paper, Additing Affordance Benchmark)."""
NEAR = 0.5
"""Of the mean width of two things may lie between those that are next to each other."""


def affordance(added: Sequence[Box], boxes: Sequence[Box], region: NDArray[np.bool_] | None) -> float | None:
    """Share of the added objects at least half of whose area lies at a plausible place; 0 where nothing was
    added, None where no places are known.

    boxes: plausible ones, of which a single one must hold the half; region: (H, W), the exact places
    """
    if region is None and not boxes:
        return None
    held = [_in_region(box, region) if region is not None else _in_boxes(box, boxes) for box in added]
    return sum(held) / len(held) if held else 0.0


def _in_boxes(box: Box, boxes: Sequence[Box]) -> bool:
    return any(share_on(box, plausible) >= HELD_SHARE for plausible in boxes)


def _in_region(box: Box, region: NDArray[np.bool_]) -> bool:
    """Measured over the whole box, what lies beyond the picture counting as outside."""
    left, top, right, bottom = (round(side) for side in box)
    area = (right - left) * (bottom - top)
    inside = region[max(0, top) : max(0, bottom), max(0, left) : max(0, right)].sum()
    return bool(area > 0 and inside >= HELD_SHARE * area)


def related(relation: Relation, added: Sequence[Box], anchors: Sequence[Box], held: float | None) -> bool:
    """Whether any added object lies to any anchor as asked; "two of" asks for at least two of them.

    anchors: what it refers to, in the result; held: affordance, which says "on" where no anchor is named
    """
    if relation == "two of":
        return len(added) >= 2
    if relation == "on" and not anchors:
        return bool(held)
    return any(_lies(relation, box, anchor) for box in added for anchor in anchors)


def _lies(relation: Relation, box: Box, anchor: Box) -> bool:
    """By boxes alone: what stands farther up is behind; what has its foot within the other is on it."""
    left, _, right, foot = box
    middle, width = (left + right) / 2, ((right - left) + (anchor[2] - anchor[0])) / 2
    match relation:
        case "left of":
            return middle < anchor[0] or (
                middle < (anchor[0] + anchor[2]) / 2 and right - anchor[0] < (right - left) / 2
            )
        case "behind":
            return foot < anchor[3] and left < anchor[2] and right > anchor[0]
        case "on":
            return anchor[0] <= middle <= anchor[2] and anchor[1] <= foot < anchor[3]
        case _:
            gap = max(left, anchor[0]) - min(right, anchor[2])
            level = min(foot, anchor[3]) > max(box[1], anchor[1])
            return gap <= NEAR * width and level
