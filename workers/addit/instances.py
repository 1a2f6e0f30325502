"""Things of the subject's kind that the source shows already: "another dog" must not be the first one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from workers.addit.boxes import Box, Detection, intersection_over_union
from workers.addit.masks import PEAK_FLOOR, grow, normalise, to_latent_grid

SAME_THING = 0.5
"""Boxes or masks of source and target that agree this well (intersection over union) show one thing."""


@dataclass(frozen=True)
class Instances:
    """Those that are there already: boxes in pixels and boolean masks (H, W) of the picture's size.

    Each of the source has both. Another subject of the same edit has no box where none was asked for,
    and a mask of the latent grid where no picture was looked at.
    """

    boxes: tuple[Box, ...] = ()
    masks: tuple[Tensor, ...] = ()

    def and_one(self, mask: Tensor, box: Box | None) -> Instances:
        """With one thing more."""
        return replace(self, boxes=(*self.boxes, *([box] if box else ())), masks=(*self.masks, mask))


def may_show(prompt: str, subject: str) -> bool:
    """Whether some words name the subject's kind: its last word, or the plural with s."""
    kind = subject.lower().split()[-1]
    words = {word.strip(".,;:!?\"'()") for word in prompt.lower().split()}
    return bool(words & {kind, f"{kind}s"})


def new_detections(found: Sequence[Detection], already: Instances) -> list[Detection]:
    """Those of `found` that are not at a box of the source's instances, in their order."""
    if not found or not already.boxes:
        return list(found)
    overlaps = intersection_over_union(
        torch.tensor([one.box for one in found]), torch.tensor(already.boxes)
    ).amax(dim=1)
    return [one for one, overlap in zip(found, overlaps.tolist(), strict=True) if overlap < SAME_THING]


def without_instances(attention: Tensor, already: Instances) -> Tensor:
    """A normalised map (h, w) with the source's instances taken out, normalised again.

    The cells that an instance touches go, and those beside them, which the map's blur has smeared it over.
    Where nothing is left that would count as a peak of the whole map, the result is all zeros: only the
    source's own instances drew attention.
    """
    if not already.masks:
        return attention
    touched = torch.stack([to_latent_grid(mask, *attention.shape) for mask in already.masks]).any(dim=0)
    rest = attention.masked_fill(grow(touched, 1), 0.0)
    if float(rest.max()) < PEAK_FLOOR * float(attention.max()):
        return torch.zeros_like(attention)
    return normalise(rest[None])[0]


def is_instance(mask: Tensor, already: Instances) -> bool:
    """Whether a boolean mask (H, W) covers the same thing as one of the source's instances."""
    return any(_agreement(mask, other) >= SAME_THING for other in already.masks)


def _agreement(mask: Tensor, other: Tensor) -> float:
    return float((mask & other).sum() / (mask | other).sum().clamp_min(1))
