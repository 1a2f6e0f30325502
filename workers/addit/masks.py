"""From an attention map to a mask: blur, Otsu's threshold, peaks and boxes. Arrays are (h, w) unless said
otherwise."""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from workers.addit.boxes import Box

COVERED = 0.01
"""A latent cell counts as subject when the resized mask exceeds this."""
PEAK_FLOOR = 0.35
"""Share of a map's maximum below which nothing more counts as a peak."""


def from_array(mask: NDArray[np.bool_]) -> Tensor:
    """The same (H, W) mask as a tensor of its own."""
    return torch.from_numpy(mask.copy())


def blur(maps: Tensor) -> Tensor:
    """3x3 Gaussian (1 2 1) over (B, h, w), mirrored at the border."""
    line = torch.tensor([1.0, 2.0, 1.0], device=maps.device, dtype=maps.dtype) / 4
    kernel = torch.outer(line, line)[None, None]
    return F.conv2d(F.pad(maps[:, None], (1, 1, 1, 1), mode="reflect"), kernel)[:, 0]


def normalise(maps: Tensor) -> Tensor:
    """Each of (B, h, w) to 0..1; a flat map becomes zeros."""
    low = maps.amin(dim=(-2, -1), keepdim=True)
    span = maps.amax(dim=(-2, -1), keepdim=True) - low
    return torch.where(
        span > 0, (maps - low) / span.clamp_min(torch.finfo(maps.dtype).tiny), torch.zeros_like(maps)
    )


def otsu_threshold(values: Tensor, bins: int = 256) -> float:
    """The level that best splits `values` in 0..1 into two classes (Otsu 1979: maximal variance between
    them)."""
    histogram = torch.histc(values.float().cpu(), bins=bins, min=0.0, max=1.0)
    centres = (torch.arange(bins) + 0.5) / bins
    below = histogram.cumsum(0)
    above = below[-1] - below
    mass = (histogram * centres).cumsum(0)
    mean_below = mass / below.clamp_min(1e-12)
    mean_above = (mass[-1] - mass) / above.clamp_min(1e-12)
    return float(centres[(below * above * (mean_below - mean_above) ** 2).argmax()])


def rough_mask(attention: Tensor) -> Tensor:
    """Boolean (h, w) mask of a normalised map (h, w)."""
    return attention > otsu_threshold(attention)


def find_peaks(
    attention: Tensor, mask: Tensor, most: int = 4, floor: float = PEAK_FLOOR
) -> list[tuple[int, int]]:
    """Up to `most` (row, column) maxima of the map (h, w).

    After each, a square of half-size max(w, h) // (most + 1) of the mask's box is cleared; stops below
    `floor` of the
    first maximum.
    """
    left, top, right, bottom = bounding_box(mask) or (0, 0, mask.shape[1], mask.shape[0])
    half = max(right - left, bottom - top) // (most + 1)
    remaining, peaks = attention.clone(), list[tuple[int, int]]()
    highest = float(attention.max())
    while len(peaks) < most and float(remaining.max()) > 0 and float(remaining.max()) >= floor * highest:
        row, column = divmod(int(remaining.argmax()), attention.shape[1])
        peaks.append((row, column))
        remaining[max(0, row - half) : row + half + 1, max(0, column - half) : column + half + 1] = 0
    return peaks


def bounding_box(mask: Tensor) -> tuple[int, int, int, int] | None:
    """(left, top, right, bottom) of a boolean mask (h, w), right and bottom exclusive; None where it is
    empty."""
    rows, columns = mask.any(dim=1).nonzero(), mask.any(dim=0).nonzero()
    if not len(rows):
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def fill_box(box: Box, height: int, width: int) -> Tensor:
    """Boolean (height, width): the pixels of a picture that `box` touches."""
    left, top, right, bottom = box
    mask = torch.zeros(height, width, dtype=torch.bool)
    rows, columns = (
        slice(max(0, math.floor(low)), max(0, math.ceil(high)))
        for low, high in ((top, bottom), (left, right))
    )
    mask[rows, columns] = True
    return mask


def resize(mask: Tensor, height: int, width: int) -> Tensor:
    """Bilinear resize of (h, w) to (height, width), float."""
    return F.interpolate(mask[None, None].float(), (height, width), mode="bilinear", align_corners=False)[
        0, 0
    ]


def to_latent_grid(mask: Tensor, height: int, width: int) -> Tensor:
    """The mask's cells on the latent grid: every one that the resized mask touches by more than `COVERED`."""
    return resize(mask, height, width) > COVERED


def soften(cells: Tensor, softness: float) -> Tensor:
    """Weights 0..1 (h, w) of a boolean mask (h, w): 1 inside, falling in proportion to the distance outside.

    softness: cells from the mask's edge cells that still weigh something; 0 gives the mask itself. Distances
    are Euclidean, between the cells' middles (a distance-aware edge as in FusionEdit).
    """
    reach = math.ceil(softness)
    steps = torch.arange(-reach, reach + 1, dtype=torch.float32, device=cells.device)
    cone = (1 - torch.hypot(steps[:, None], steps[None]) / (softness + 1)).clamp_min(0)
    around = F.unfold(cells.float()[None, None], 2 * reach + 1, padding=reach)  # (1, k * k, h * w)
    return (around * cone.flatten()[None, :, None]).amax(dim=1).reshape(cells.shape)


def grow(cells: Tensor, reach: int) -> Tensor:
    """A boolean mask (h, w) with every cell at most `reach` rows and columns away."""
    return F.max_pool2d(cells.float()[None], 2 * reach + 1, stride=1, padding=reach)[0] > 0


def connected(mask: Tensor, start: Tensor) -> Tensor:
    """Those of a boolean mask (h, w) that can be reached from `start` through it, neighbour by neighbour."""
    reached = mask & grow(start, 1)
    while True:
        further = mask & grow(reached, 1)
        if torch.equal(further, reached):
            return reached
        reached = further


def heaviest_part(mask: Tensor, weights: Tensor) -> Tensor:
    """Of a boolean mask (h, w) the connected part with the most of `weights` (h, w); none of an empty one."""
    heaviest, most, rest = torch.zeros_like(mask), 0.0, mask
    while bool(rest.any()):
        start = torch.zeros_like(mask).index_put_(tuple(rest.nonzero()[0]), torch.tensor(True))
        part = connected(rest, start)
        rest = rest & ~part
        if (weight := float(weights[part].sum())) > most:
            heaviest, most = part, weight
    return heaviest
