"""Boxes around things in pictures, and how far two of them agree."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

Box = tuple[float, float, float, float]
"""Left, top, right, bottom, in pixels of a picture."""


@dataclass(frozen=True)
class Detection:
    """Where a thing was seen, and how sure that is, 0..1."""

    box: Box
    score: float


def intersection_over_union(boxes: Tensor, others: Tensor) -> Tensor:
    """Boxes (N, 4) against boxes (M, 4) -> (N, M), 0..1."""
    first, second = boxes[:, None], others[None]
    corner, opposite = (
        torch.maximum(first[..., :2], second[..., :2]),
        torch.minimum(first[..., 2:], second[..., 2:]),
    )
    shared = (opposite - corner).clamp(min=0).prod(-1)
    areas = [(each[..., 2:] - each[..., :2]).prod(-1) for each in (first, second)]
    return shared / (areas[0] + areas[1] - shared).clamp(min=1e-6)


def share_on(box: Box, other: Box) -> float:
    """The share of a box's area, 0..1, that lies on another."""
    width = min(box[2], other[2]) - max(box[0], other[0])
    height = min(box[3], other[3]) - max(box[1], other[1])
    area = (box[2] - box[0]) * (box[3] - box[1])
    return max(0.0, width) * max(0.0, height) / area if area > 0 else 0.0
