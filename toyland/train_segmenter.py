"""Recipe of the segmenter: prompts of every kind on pictures as drawn and as the transformer guesses them."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sam2.modeling.sam2_base import SAM2Base
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from toyland.mask_loss import segmentation_loss
from toyland.prompts import Prompts, box_prompts, point_prompts, rough_mask_prompts
from toyland.segmenter import embed_images, normalise, predict_masks

NOTHING_SHARE = 0.1  # of point prompts lie on the bare scene


@dataclass(frozen=True)
class SegmenterRecipe:
    """Each batch: pictures, one object in each, one prompt of each kind.

    pictures: (N, H, W, 3) uint8; instances: (N, H, W) uint8
    glimpses: (M, H, W, 3) uint8, the transformer's guesses at the first M pictures, blurred as at run time
    """

    model: SAM2Base
    pictures: NDArray[np.uint8]
    instances: NDArray[np.uint8]
    glimpses: NDArray[np.uint8]
    batch: int = 16

    @property
    def trained(self) -> nn.Module:
        """All of SAM-2; its memory for videos gets no gradient and stays as it began."""
        model: nn.Module = self.model
        return model

    def loss(self, generator: torch.Generator) -> Tensor:
        """Mean of the prompt kinds' losses on one batch, half of it glimpses."""
        pictures, instances = self._draw_pictures(generator)
        target = pick_instances(instances, generator)
        images = normalise(pictures, self.model.image_size)
        losses = []
        with sdpa_kernel(SDPBackend.MATH):  # on CPUs the fused kernel is slower for heads this small
            with torch.autocast("cpu", torch.bfloat16):
                features = [feature.float() for feature in embed_images(self.model, images)]
            for prompts, wanted in self._draw_prompts(target, instances == 0, generator):
                logits, ious, presence = predict_masks(self.model, features, prompts)
                losses.append(segmentation_loss(logits, ious, presence, wanted))
        return torch.stack(losses).mean()

    def _draw_pictures(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """(B, H, W, 3) pictures, the later half of them glimpses, and (B, H, W) instances."""
        half = self.batch // 2
        drawn = torch.randint(len(self.pictures), (half,), generator=generator).numpy()
        glimpsed = torch.randint(len(self.glimpses), (self.batch - half,), generator=generator).numpy()
        pictures = np.concatenate([self.pictures[drawn], self.glimpses[glimpsed]])
        instances = np.concatenate([self.instances[drawn], self.instances[glimpsed]])
        kept = instances.any((1, 2))  # empty scenes have nothing to point at
        return torch.from_numpy(pictures[kept]), torch.from_numpy(instances[kept])

    def _draw_prompts(
        self, target: Tensor, bare: Tensor, generator: torch.Generator
    ) -> list[tuple[Prompts, Tensor]]:
        """One prompt of each kind with the mask it should give; `bare` (B, H, W) is where nothing stands."""
        scale = self.model.image_size / target.shape[-1]
        count = int(torch.randint(2, 5, (), generator=generator))
        missed = torch.rand(len(target), generator=generator) < NOTHING_SHARE
        pointed = torch.where(missed[:, None, None], bare, target)
        found = target & ~missed[:, None, None]
        box = box_prompts(target, 0.06, scale, generator)
        rough = rough_mask_prompts(target, self.model.image_size // 4, generator)
        points = point_prompts(target, count, scale, generator)
        return [
            (point_prompts(pointed, 1, scale, generator), found),
            (points, target),
            (box.and_points(points) if count == 4 else box, target),
            (rough.and_points(points) if count == 2 else rough, target),
        ]


def pick_instances(instances: Tensor, generator: torch.Generator) -> Tensor:
    """The mask (B, H, W) of one random object of each picture; every picture must have one."""
    counts = instances.flatten(1).max(1).values.float()
    chosen = 1 + (torch.rand(len(counts), generator=generator) * counts).long()
    masks = instances == chosen[:, None, None]
    # A thing may be wholly hidden behind a later one: then take whatever is there.
    hidden = ~masks.flatten(1).any(1)
    return torch.where(hidden[:, None, None], instances > 0, masks)
