"""What one may point at a thing with: points, a box, a rough mask; drawn from its true mask, with errors."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

FOREGROUND, BOX_TOP_LEFT, BOX_BOTTOM_RIGHT = 1, 2, 3  # SAM's point labels
ROUGH_CELL = 16  # pixels of the grid on which a rough mask is known: one token of the transformer


@dataclass(frozen=True)
class Prompts:
    """One prompt for each of B images.

    points: (B, P, 2) x and y in the model's pixels, or nothing
    labels: (B, P) SAM's point labels; a box is its two corners
    masks: (B, 1, S / 4, S / 4) logits of a rough mask, or nothing
    """

    points: Tensor | None = None
    labels: Tensor | None = None
    masks: Tensor | None = None

    def and_points(self, other: "Prompts") -> "Prompts":
        """These prompts with the other's points after their own."""
        if self.points is None or self.labels is None:
            return Prompts(other.points, other.labels, self.masks)
        assert other.points is not None
        assert other.labels is not None
        points = torch.cat([self.points, other.points], 1)
        return Prompts(points, torch.cat([self.labels, other.labels], 1), self.masks)


def point_prompts(masks: Tensor, count: int, scale: float, generator: torch.Generator) -> Prompts:
    """`count` points on each mask (B, H, W); `scale` is the model's pixels per mask pixel."""
    chosen = torch.multinomial(masks.flatten(1).float(), count, replacement=True, generator=generator)
    width = masks.shape[-1]
    points = torch.stack([chosen % width, chosen // width], -1).float() * scale
    return Prompts(points, torch.full_like(chosen, FOREGROUND))


def middle_prompts(masks: Tensor, scale: float) -> Prompts:
    """For each mask (B, H, W) the one of its points that lies nearest to the middle of them all."""
    _, height, width = masks.shape
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    places = torch.stack([columns, rows], -1).float()  # (H, W, 2)
    area = masks.sum((1, 2)).clamp(min=1)
    middles = torch.einsum("bhw,hwc->bc", masks.float(), places) / area[:, None]
    distances = (places - middles[:, None, None]).square().sum(-1)
    nearest = distances.masked_fill(~masks, torch.inf).flatten(1).argmin(1)
    points = torch.stack([nearest % width, nearest // width], -1).float() * scale
    return Prompts(points[:, None], torch.full((len(masks), 1), FOREGROUND))


def box_prompts(masks: Tensor, jitter: float, scale: float, generator: torch.Generator) -> Prompts:
    """The box of each mask (B, H, W), its sides moved by a normal error of `jitter` times the box's size."""
    boxes = mask_boxes(masks)
    sizes = (boxes[:, 2:] - boxes[:, :2]).repeat(1, 2)
    boxes = boxes + torch.randn(boxes.shape, generator=generator) * jitter * sizes
    boxes = boxes.clamp(0, masks.shape[-1])
    labels = torch.tensor([[BOX_TOP_LEFT, BOX_BOTTOM_RIGHT]]).expand(len(masks), -1)
    return Prompts(boxes.reshape(-1, 2, 2) * scale, labels)


def rough_mask_prompts(masks: Tensor, side: int, generator: torch.Generator) -> Prompts:
    """Each mask (B, H, W) as an attention map would know it: coarse, uneven; logits (B, 1, side, side)."""
    shares = F.avg_pool2d(masks[:, None].float(), ROUGH_CELL)
    shares = shares + 0.15 * torch.randn(shares.shape, generator=generator)
    smooth = F.interpolate(shares, (side, side), mode="bilinear")
    threshold = 0.2 + 0.4 * torch.rand(len(masks), 1, 1, 1, generator=generator)
    certainty = 4 + 12 * torch.rand(len(masks), 1, 1, 1, generator=generator)
    return Prompts(masks=torch.where(smooth > threshold, certainty, -certainty))


def mask_boxes(masks: Tensor) -> Tensor:
    """(B, H, W) bool, none empty -> (B, 4): left, top, right, bottom; the latter two one past the last."""
    sides = []
    for axis in (1, 2):  # columns first: the box begins with x
        used = masks.any(axis).int()
        first, last = used.argmax(1), used.shape[1] - used.flip(1).argmax(1)
        sides.append((first, last))
    (left, right), (top, bottom) = sides
    return torch.stack([left, top, right, bottom], 1).float()
