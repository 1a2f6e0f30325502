"""Finding the subject's mask in a target, from its attention alone or with a segmenter that looks at its
x0."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workers.addit.errors import UnsupportedOption
from workers.addit.latents import LatentGrid
from workers.addit.masks import blur, bounding_box, find_peaks, normalise, resize, rough_mask, to_latent_grid

Picture = NDArray[np.uint8]
"""(H, W, 3), RGB."""


@dataclass(frozen=True)
class Segmentation:
    """mask: (H, W) boolean, of the picture's size. score: the segmenter's own estimate of its quality,
    0..1."""

    mask: Tensor
    score: float


@dataclass(frozen=True)
class SegmenterPrompt:
    """What to segment, in pixels of the picture; at least one of the three is given.

    points: (x, y) on the subject; box: left, top, right, bottom; mask: (h, w) in 0..1, of any size
    """

    points: tuple[tuple[float, float], ...] = ()
    box: tuple[float, float, float, float] | None = None
    mask: Tensor | None = None


class Segmenter(Protocol):
    """SAM-2 or one like it."""

    def __call__(self, picture: Picture, prompt: SegmenterPrompt) -> Segmentation:
        """The mask of what the prompt points at."""


@dataclass(frozen=True)
class Located:
    """Where the subject is.

    attention: (h, w), normalised; rough: (h, w), Otsu's mask of it; mask: boolean, at the latent grid or at
    pixels
    score: the segmenter's, if one was asked; missing: why nothing was found, None if something was
    """

    attention: Tensor
    rough: Tensor
    mask: Tensor
    score: float | None = None
    missing: str | None = None

    @classmethod
    def given(cls, attention: Tensor, mask: Tensor) -> Located:
        """The mask that was asked for, beside the attention (h, w) that is not asked."""
        missing = None if bool(mask.any()) else "the given mask is empty"
        return cls(attention, mask, mask, missing=missing)

    def cells(self, grid: LatentGrid) -> Tensor:
        """Boolean (h, w) on the latent grid."""
        return to_latent_grid(self.mask, grid.height, grid.width)


def locate(
    localizer: str, maps: Tensor, picture_of: Callable[[int], Picture], segmenter: Segmenter | None
) -> list[Located]:
    """One `Located` per row of the attention maps (B, h, w).

    picture_of: the decoded x0 of a row, asked for only where the localizer looks at it
    Raises `UnsupportedOption` for a localizer this model has no helper for.
    """
    maps = normalise(blur(maps.float().cpu()))
    return [_locate_one(localizer, row, lambda i=i: picture_of(i), segmenter) for i, row in enumerate(maps)]  # type: ignore[misc]


def _locate_one(
    localizer: str, attention: Tensor, picture: Callable[[], Picture], segmenter: Segmenter | None
) -> Located:
    if not bool(attention.any()):
        empty = torch.zeros_like(attention, dtype=torch.bool)
        return Located(attention, empty, empty, missing="the subject's words drew no attention anywhere")
    rough = rough_mask(attention)
    if localizer == "attention":
        return Located(attention, rough, rough)
    prompts = SAM_PROMPTS.get(localizer)
    if prompts is None or segmenter is None:
        raise UnsupportedOption(f"this model has no {localizer!r} localizer")
    shown = picture()
    found = segmenter(shown, prompts(attention, rough, shown))
    missing = None if bool(found.mask.any()) else "the segmenter found nothing at the subject's attention"
    return Located(attention, rough, found.mask, found.score, missing)


def _points(attention: Tensor, rough: Tensor, picture: Picture) -> SegmenterPrompt:
    (height, width), (rows, columns) = picture.shape[:2], attention.shape
    peaks = find_peaks(attention, rough)
    return SegmenterPrompt(
        points=tuple(((x + 0.5) * width / columns, (y + 0.5) * height / rows) for y, x in peaks)
    )


def _box(attention: Tensor, rough: Tensor, picture: Picture) -> SegmenterPrompt:
    (height, width), (rows, columns) = picture.shape[:2], attention.shape
    left, top, right, bottom = bounding_box(rough) or (0, 0, columns, rows)
    x, y = width / columns, height / rows
    return SegmenterPrompt(box=(left * x, top * y, right * x, bottom * y))


def _mask(attention: Tensor, rough: Tensor, picture: Picture) -> SegmenterPrompt:
    return SegmenterPrompt(mask=resize(rough, *picture.shape[:2]))


SAM_PROMPTS: dict[str, Callable[[Tensor, Tensor, Picture], SegmenterPrompt]] = {
    "attention_points_sam": _points,
    "attention_box_sam": _box,
    "attention_mask_sam": _mask,
}
"""How a localizer turns attention into a segmenter's prompt."""
