"""What the detector should say of a picture: a heat map of centres per class, and each cell's box."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from workers.models.toyland.detector import STRIDE, cell_boxes

NOBODY = -1  # class of an unused place in an array of things
SPREAD = 0.12  # of a box's size: the standard deviation of its heat
LEAST_SPREAD = 0.6  # cells
BOX_HEAT = 0.4  # cells at least this warm learn the box
BOX_WEIGHT = 2.0


@dataclass(frozen=True)
class Things:
    """What is in B pictures, up to M things each.

    classes: (B, M) indices or NOBODY; boxes: (B, M, 4) left, top, right, bottom in pixels
    """

    classes: Tensor
    boxes: Tensor

    def flipped(self, flips: Tensor, width: int) -> "Things":
        """The same with pictures of `width` pixels mirrored where `flips` (B,) says so."""
        left, top, right, bottom = self.boxes.unbind(-1)
        mirrored = torch.stack([width - right, top, width - left, bottom], -1)
        return Things(self.classes, torch.where(flips[:, None, None], mirrored, self.boxes))


def thing_heat(boxes: Tensor, cells: int) -> Tensor:
    """Boxes (B, M, 4) in pixels -> (B, M, cells, cells): one at the cell of a box's middle, less around."""
    corners = boxes / STRIDE
    middles = ((corners[..., :2] + corners[..., 2:]) / 2).floor() + 0.5  # of the cell the middle lies in
    spreads = ((corners[..., 2:] - corners[..., :2]) * SPREAD).clamp(min=LEAST_SPREAD)
    places = torch.arange(cells) + 0.5
    across, down = (
        ((places - middles[..., axis, None]) / spreads[..., axis, None]).square() for axis in (0, 1)
    )
    return torch.exp(-(across[..., None, :] + down[..., None]) / 2)


def detection_loss(heat: Tensor, sides: Tensor, things: Things) -> Tensor:
    """Focal loss of the heat logits (B, K, h, w), GIoU loss of the distances (B, 4, h, w)."""
    seen = things.classes != NOBODY
    per_thing = thing_heat(things.boxes, heat.shape[-1]) * seen[..., None, None]
    wanted = torch.zeros_like(heat, dtype=torch.float32)
    index = things.classes.clamp(min=0)[..., None, None].expand_as(per_thing)
    wanted.scatter_reduce_(1, index, per_thing, "amax")
    warmest, owner = per_thing.max(1)  # (B, h, w)
    weight = warmest * (warmest > BOX_HEAT)
    boxes = things.boxes.gather(1, owner.flatten(1)[..., None].expand(-1, -1, 4))  # (B, h * w, 4)
    misses = 1 - generalized_iou(cell_boxes(sides).flatten(1, 2), boxes)
    box_loss = (misses * weight.flatten(1)).sum() / weight.sum().clamp(min=1)
    return centre_loss(heat.float(), wanted) / seen.sum().clamp(min=1) + BOX_WEIGHT * box_loss


def generalized_iou(boxes: Tensor, others: Tensor) -> Tensor:
    """Boxes (..., 4) and as many others -> (...): 1 where equal, below 0 where apart (arXiv 1902.09630)."""
    inner = torch.minimum(boxes[..., 2:], others[..., 2:]) - torch.maximum(boxes[..., :2], others[..., :2])
    outer = torch.maximum(boxes[..., 2:], others[..., 2:]) - torch.minimum(boxes[..., :2], others[..., :2])
    shared, hull = inner.clamp(min=0).prod(-1), outer.prod(-1).clamp(min=1e-6)
    areas = (boxes[..., 2:] - boxes[..., :2]).prod(-1) + (others[..., 2:] - others[..., :2]).prod(-1)
    union = (areas - shared).clamp(min=1e-6)
    return shared / union - (hull - union) / hull


def centre_loss(logits: Tensor, wanted: Tensor) -> Tensor:
    """CenterNet's focal loss, summed: exact centres are wanted, their neighbourhood is hardly forbidden."""
    probability = torch.sigmoid(logits)
    found = (wanted == 1) * (1 - probability) ** 2 * F.logsigmoid(logits)
    quiet = (1 - wanted) ** 4 * probability**2 * F.logsigmoid(-logits)
    total: Tensor = -(found + quiet).sum()
    return total
