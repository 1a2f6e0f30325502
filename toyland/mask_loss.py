"""How a predicted mask is judged (Segment Anything, arXiv 2304.02643, appendix A): focal, dice and IoU."""

import torch
from torch import Tensor
from torch.nn import functional as F

FOCAL_WEIGHT = 20.0


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

    The single answer is always judged; of the three alternatives only the best is, so that they may differ.
    Every IoU estimate is judged. Where the target is empty (a prompt on nothing) only the estimates and the
    presence are.

    logits: (B, 4, h, w); ious: (B, 4); presence: (B, 1) logits; target: (B, H, W) bool, at least as fine
    """
    # A coarse cell on the edge is wanted in part, so the fine outline is learned at the coarse price.
    shares = F.adaptive_avg_pool2d(target[:, None].float(), (logits.shape[-2], logits.shape[-1]))
    wanted = shares.expand_as(logits)
    mask_loss = FOCAL_WEIGHT * focal_loss(logits, wanted) + dice_loss(logits, wanted)  # (B, 4)
    present = target.any(-1).any(-1).float()  # (B,)
    true_ious = intersection_over_union(logits.detach() > 0, wanted > 0.5)
    true_ious = true_ious * present[:, None]
    judged = mask_loss[:, 0] + mask_loss[:, 1:].min(1).values
    seen = F.binary_cross_entropy_with_logits(presence[:, 0], present)
    return (present * judged).mean() + F.mse_loss(ious, true_ious) + 0.1 * seen
