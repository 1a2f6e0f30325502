"""Where the subject shall be and where not: from boxes, points and masks to a prior on the latent grid.

Pure functions; knows no model. Pictures are (H, W), boxes and points (x, y) in their pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from workers.addit.boxes import Box
from workers.addit.errors import RegionEmpty
from workers.addit.latents import LatentGrid
from workers.addit.masks import PEAK_FLOOR, grow, normalise, resize

INSIDE = 0.3
"""Weight from which on a cell counts as a place where the subject may be. Of a point's disc, which falls off
like a Gaussian, that is what lies within 1.55 standard deviations."""
MOSTLY = 0.5
"""Share of a mask that must lie inside for its subject to be at its place: as for plausible boxes (paper,
section 4)."""
POINT_SPREAD = 1 / 6
"""Standard deviation of a point's disc over the shorter side of the picture."""


@dataclass(frozen=True)
class Area:
    """A part of a picture; exactly one of box, points and mask is given.

    box: may reach beyond the picture; spread: standard deviation of the disc around each point, in pixels
    mask: (h, w) in 0..1, of any size, stretched over the picture
    """

    box: Box | None = None
    points: tuple[tuple[float, float], ...] = ()
    spread: float = 0.0
    mask: NDArray[np.float32] | None = None

    @property
    def is_sharp(self) -> bool:
        """Whether its edge was drawn by somebody: points have none."""
        return not self.points


@dataclass(frozen=True)
class Placing:
    """What is asked for: the subject in `region`, nothing of it in `avoid`; either may be None."""

    region: Area | None = None
    avoid: Area | None = None


@dataclass(frozen=True)
class Prior:
    """What a `Placing` says about the cells of the latent grid.

    weights: (h, w) 0..1, how welcome the subject is
    lift: (h, w) -1..1, how attention on the subject is moved: `weights` about their mean, so that to avoid a
        place is to ask for all others, and to ask for the whole picture is to ask for nothing
    bounds: boolean (h, w), the cells that may be kept at a blend
    """

    weights: Tensor
    lift: Tensor
    bounds: Tensor

    @property
    def inside(self) -> Tensor:
        """Boolean (h, w): where the subject may be."""
        return (self.weights >= INSIDE) & self.bounds

    def weighed(self, attention: Tensor) -> Tensor:
        """A normalised map (h, w), of any size, with what is unwelcome taken out, normalised again.

        All zeros where nothing is left that would count as a peak of the whole map: the subject is elsewhere.
        """
        rest = attention * resize(self.weights, *attention.shape)
        if float(rest.max()) < PEAK_FLOOR * float(attention.max()):
            return torch.zeros_like(attention)
        return normalise(rest[None])[0]

    def holds(self, mask: Tensor) -> bool:
        """Whether most of a boolean mask (H, W), of any size, lies where the subject may be."""
        inside = _stretched(self.inside, mask)
        return float((mask & inside).sum()) >= MOSTLY * float(mask.sum())

    def cut(self, mask: Tensor) -> Tensor:
        """A boolean mask (H, W), of any size, without what lies out of bounds."""
        return mask & _stretched(self.bounds, mask)


def make_prior(placing: Placing, height: int, width: int, grid: LatentGrid) -> Prior:
    """For a picture of `height` x `width` pixels. Raises `RegionEmpty` where no cell is left.

    A region's own edge bounds what is kept one cell further out, for a cell shows a little of its neighbours.
    """
    region, avoid = torch.ones(grid.height, grid.width), torch.zeros(grid.height, grid.width)
    if placing.region is not None:
        region = cell_weights(placing.region, height, width, grid)
    if placing.avoid is not None:
        avoid = cell_weights(placing.avoid, height, width, grid)
    weights, bounds = region * (1 - avoid), torch.ones_like(region, dtype=torch.bool)
    if placing.region is not None and placing.region.is_sharp:
        bounds = grow(region >= INSIDE, 1)
    if placing.avoid is not None and placing.avoid.is_sharp:
        bounds = bounds & (avoid < MOSTLY)
    prior = Prior(weights, weights - weights.mean(), bounds)
    if not bool(prior.inside.any()):
        raise RegionEmpty("nothing is left of the region: all of it is to be avoided")
    return prior


def cell_weights(area: Area, height: int, width: int, grid: LatentGrid) -> Tensor:
    """(h, w), 0..1: how far each cell of a picture of `height` x `width` pixels belongs to the area.

    Of a box or a mask the largest is 1, so that one smaller than a cell counts too; of points it is at their
    middle, wherever that lies. Raises `RegionEmpty` for a box or a mask that is nowhere in the picture.
    """
    if area.points:
        return _disc_cells(area, height, width, grid)
    if area.box is not None:
        weights = _box_cells(area.box, height, width, grid)
    else:
        assert area.mask is not None
        mask = torch.from_numpy(area.mask)[None]
        weights = F.adaptive_avg_pool2d(mask, (grid.height, grid.width))[0]
    highest = float(weights.max())
    if highest <= 0:
        raise RegionEmpty("the mask is empty" if area.box is None else f"{area.box} lies outside the picture")
    return weights / highest


def _box_cells(box: Box, height: int, width: int, grid: LatentGrid) -> Tensor:
    """The share of each cell that the box covers."""
    left, top, right, bottom = box
    rows = _overlap(top * grid.height / height, bottom * grid.height / height, grid.height)
    columns = _overlap(left * grid.width / width, right * grid.width / width, grid.width)
    return torch.outer(rows, columns)


def _overlap(low: float, high: float, cells: int) -> Tensor:
    """(cells,): how much of each unit of 0..cells lies in low..high."""
    starts = torch.arange(cells, dtype=torch.float32)
    return ((starts + 1).clamp(max=high) - starts.clamp(min=low)).clamp(min=0)


def _disc_cells(area: Area, height: int, width: int, grid: LatentGrid) -> Tensor:
    """Gaussians around the points, at the cells' middles."""
    y = (torch.arange(grid.height) + 0.5) * height / grid.height
    x = (torch.arange(grid.width) + 0.5) * width / grid.width
    distances = torch.stack([torch.hypot((y - at[1])[:, None], (x - at[0])[None]) for at in area.points])
    return torch.exp(-((distances / area.spread) ** 2) / 2).amax(dim=0)


def _stretched(cells: Tensor, like: Tensor) -> Tensor:
    """A boolean mask (h, w) at the size of another, cell by cell."""
    return F.interpolate(cells[None, None].float(), like.shape, mode="nearest")[0, 0] > 0.5
