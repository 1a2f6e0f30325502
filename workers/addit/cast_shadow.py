"""The subject's cast shadow: it falls outside the subject's mask, where a strict background is the source's.

Pure functions over masks and pictures; knows no model.
"""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from workers.addit.localizers import Picture
from workers.addit.masks import bounding_box, connected, grow, resize

REACH = 1 / 3
"""How far a shadow may fall from the subject's cells, as a share of their box's longer side."""
BLOCKS = 4
"""Blocks along each side of a latent cell. Shadows are judged by them: the decoder's noise averages out."""
SURELY = 0.06
"""Loss of light from which on a block is wholly the target's; half of it is the least that counts."""
DARKEST = 0.7
"""Loss of light beyond which a block was painted over, not shaded."""
HUE = 0.05
"""How far a shaded block's colours may lie from the darkened source's, as a share of white."""


def shadow_room(cells: Tensor) -> Tensor:
    """The subject's cells (h, w) and those where its shadow may fall: around them, not above their middle."""
    box = bounding_box(cells)
    if box is None:
        return cells
    left, top, right, bottom = box
    around = grow(cells, max(1, round(REACH * max(right - left, bottom - top))))
    around[: (top + bottom) // 2] = False
    return cells | around


def shadow_weights(source: Picture, result: Picture, cells: Tensor) -> Tensor:
    """(H, W), 0..1: how far each pixel around the subject's cells (h, w) is the subject's shadow.

    source, result: (H, W, 3), decoded alike, so that what differs is the target's doing
    A block is shaded where it lost light but kept its hue, together with its neighbours and in one piece with
    the subject. Weights go on a block into the subject, so that no seam opens at its edge, and fade out
    towards the edge of `shadow_room`, beyond which all are exactly 0.
    """
    height, width = source.shape[:2]
    subject, room = (_to_blocks(mask) for mask in (cells, shadow_room(cells)))
    before, after = (_block_means(picture, subject) for picture in (source, result))
    loss = light_loss(before, after)
    candidates = room & ~subject & (loss > SURELY / 2) & (loss < DARKEST) & same_hue(before, after, loss)
    shaded = connected(together(candidates, subject), subject)
    weights = ((loss - SURELY / 2) / (SURELY / 2)).clamp(0, 1) * shaded * _fade(room, subject)
    weights = torch.where(subject, F.max_pool2d(weights[None], 3, stride=1, padding=1)[0], weights)
    inside = F.interpolate(room[None, None].float(), (height, width), mode="nearest")[0, 0]
    return resize(weights, height, width) * inside


def light_loss(before: Tensor, after: Tensor) -> Tensor:
    """(h, w): share of the brightness of (h, w, 3) that is gone; negative where it grew."""
    return 1 - (after.mean(dim=-1) + 1 / 255) / (before.mean(dim=-1) + 1 / 255)


def same_hue(before: Tensor, after: Tensor, loss: Tensor) -> Tensor:
    """(h, w), boolean: whether `after` is `before` (h, w, 3) but for `loss` of its light (h, w)."""
    expected = before * (1 - loss)[..., None]
    return (after - expected).abs().amax(dim=-1) < HUE


def together(mask: Tensor, subject: Tensor) -> Tensor:
    """Those of a boolean mask (h, w) most of whose eight neighbours are in it too, or are the subject's."""
    around = F.avg_pool2d((mask | subject)[None].float(), 3, stride=1, padding=1, count_include_pad=False)[0]
    return mask & (around > 0.5)


def _fade(room: Tensor, subject: Tensor) -> Tensor:
    """(h, w): 1 near the subject, falling to 0 over the outer third of the room."""
    inner, steps = room, list[Tensor]()
    # Holes in the subject and a room as large as the picture have no edge to fade towards.
    while not torch.equal(inner, smaller := ~grow(~inner, 1) | subject):
        inner = smaller
        steps.append(inner.float())
    if not steps:
        return room.float()
    outer = max(1, math.ceil(len(steps) / 3))
    return torch.stack(steps[:outer]).mean(dim=0)


def _to_blocks(cells: Tensor) -> Tensor:
    return cells.bool().cpu().repeat_interleave(BLOCKS, dim=0).repeat_interleave(BLOCKS, dim=1)


def _block_means(picture: Picture, like: Tensor) -> Tensor:
    """(h, w, 3), 0..1, at the size of `like` (h, w)."""
    pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1).float() / 255
    return F.adaptive_avg_pool2d(pixels, (like.shape[0], like.shape[1])).permute(1, 2, 0)
