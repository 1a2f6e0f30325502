"""How a predicted mask is judged (Segment Anything, arXiv 2304.02643, appendix A): focal, dice and IoU."""

import torch
from torch import Tensor
from torch.nn import functional as F

FOCAL_WEIGHT = 20.0
JUDGED_PIXEL = 2  # pixels of the picture to one of the judged mask


def focal_loss(logits: Tensor, target: Tensor, alpha: float = 0.25, focus: float = 2.0) -> Tensor:
    """(..., H, W) logits against targets 0..1 of the same shape -> (...): hard pixels count most."""
    crossing = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    miss = (torch.sigmoid(logits) - target).abs()
    weight = alpha * target + (1 - alpha) * (1 - target)
    return (weight * miss**focus * crossing).mean((-2, -1))


def dice_loss(logits: Tensor, target: Tensor) -> Tensor:
    """(..., H, W) -> (...): one minus the soft Dice coefficient."""
    probability = torch.sigmoid(logits)
    overlap = 2 * (probability * target).sum((-2, -1))
    return 1 - (overlap + 1) / (probability.sum((-2, -1)) + target.sum((-2, -1)) + 1)


def intersection_over_union(masks: Tensor, target: Tensor) -> Tensor:
    """(..., H, W) bool against bool -> (...); two empty masks agree fully."""
    union = (masks | target).sum((-2, -1))
    return torch.where(union > 0, (masks & target).sum((-2, -1)) / union.clamp(min=1), 1.0)


def segmentation_loss(logits: Tensor, ious: Tensor, presence: Tensor, target: Tensor) -> Tensor:
    """SAM's loss of one prompt for each image.

    Things of this world have no parts: a prompt means one thing, so all four masks are judged, and their
    estimated IoUs. Where the target is empty (a prompt on nothing) only estimates and presence are judged.

    logits: (B, 4, h, w); ious: (B, 4); presence: (B, 1) logits; target: (B, H, W) bool, at least as fine
    """
    # Logits are interpolated before they are judged, as they are at run time: so they learn to place the
    # outline within a cell of four pixels. Judged as cells they reach an IoU of 0.965 at best, so 0.99.
    size = (target.shape[-2] // JUDGED_PIXEL, target.shape[-1] // JUDGED_PIXEL)
    fine = F.interpolate(logits.float(), size, mode="bilinear")
    wanted = F.adaptive_avg_pool2d(target[:, None].float(), size).expand_as(fine)
    mask_loss = FOCAL_WEIGHT * focal_loss(fine, wanted) + dice_loss(fine, wanted)  # (B, 4)
    present = target.any(-1).any(-1).float()  # (B,)
    true_ious = intersection_over_union(fine.detach() > 0, wanted > 0.5) * present[:, None]
    seen = F.binary_cross_entropy_with_logits(presence[:, 0], present)
    return (present[:, None] * mask_loss).mean() + F.mse_loss(ious, true_ious) + 0.1 * seen
