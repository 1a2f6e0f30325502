"""Recipe of the segmenter: prompts of every kind on pictures as drawn and as the transformer guesses them."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sam2.modeling.sam2_base import SAM2Base
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from toyland.mask_loss import segmentation_loss
from toyland.prompts import Prompts, box_prompts, middle_prompts, point_prompts, rough_mask_prompts
from toyland.segmenter import embed_images, normalise, predict_masks

NOTHING_SHARE = 0.1  # of points lie on the bare scene
GLIMPSED_SHARE = 0.4  # of a batch, when there are glimpses
BOX_ERROR = 0.04  # of a box's size
POINTED_THINGS = 2  # of a picture and a batch: a prompt costs a fifth of what embedding the picture does


@dataclass(frozen=True)
class SegmenterRecipe:
    """Each batch: pictures, each embedded once, with six prompts on things in it.

    pictures: (N, H, W, 3) uint8; instances: (N, H, W) uint8
    glimpses: (M, H, W, 3) uint8, the transformer's guesses at the first M pictures, or none
    """

    model: SAM2Base
    pictures: NDArray[np.uint8]
    instances: NDArray[np.uint8]
    glimpses: NDArray[np.uint8] | None = None
    batch: int = 12

    @property
    def trained(self) -> nn.Module:
        """All of SAM-2; its memory for videos gets no gradient and stays as it began."""
        model: nn.Module = self.model
        return model

    def loss(self, generator: torch.Generator) -> Tensor:
        """Mean of the prompt kinds' losses on one batch."""
        pictures, instances = self._draw_pictures(generator)
        images = normalise(pictures, self.model.image_size)
        losses = []
        with sdpa_kernel(SDPBackend.MATH):  # on CPUs the fused kernel is slower for heads this small
            with torch.autocast("cpu", torch.bfloat16):
                features = [feature.float() for feature in embed_images(self.model, images)]
            for prompts, rows, wanted in self._draw_prompts(instances, generator):
                logits, ious, presence = predict_masks(self.model, [map_[rows] for map_ in features], prompts)
                losses.append(segmentation_loss(logits, ious, presence, wanted) * len(rows))
        return torch.stack(losses).sum() / (len(losses) * len(pictures))

    def _draw_pictures(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """(B, H, W, 3) pictures, the last of them glimpses, and (B, H, W) instances; half are mirrored."""
        glimpsed = round(self.batch * GLIMPSED_SHARE) if self.glimpses is not None else 0
        rows = torch.randint(len(self.pictures), (self.batch - glimpsed,), generator=generator).numpy()
        chosen = self.pictures[rows]
        if self.glimpses is not None:
            others = torch.randint(len(self.glimpses), (glimpsed,), generator=generator).numpy()
            chosen, rows = np.concatenate([chosen, self.glimpses[others]]), np.concatenate([rows, others])
        pictures, instances = torch.from_numpy(chosen), torch.from_numpy(self.instances[rows])
        flips = torch.rand(len(rows), generator=generator) < 0.5
        pictures = torch.where(flips[:, None, None, None], pictures.flip(2), pictures)
        instances = torch.where(flips[:, None, None], instances.flip(2), instances)
        kept = (instances > 0).flatten(1).any(1)  # empty scenes have nothing to point at
        return pictures[kept], instances[kept]

    def _draw_prompts(
        self, instances: Tensor, generator: torch.Generator
    ) -> list[tuple[Prompts, Tensor, Tensor]]:
        """Prompts of each kind, which picture each is for, and the mask it should give."""
        rows = torch.arange(len(instances))
        twice = rows.repeat(POINTED_THINGS)
        pointed, scale = (
            pick_instances(instances[twice], generator),
            self.model.image_size / instances.shape[-1],
        )
        missed = torch.rand(len(twice), 1, 1, generator=generator) < NOTHING_SHARE
        point = point_prompts(torch.where(missed, instances[twice] == 0, pointed), 1, scale, generator)
        boxed, framed, rough = (pick_instances(instances, generator) for _ in range(3))
        count = int(torch.randint(2, 5, (), generator=generator))
        points = point_prompts(framed, count, scale, generator)
        mask = rough_mask_prompts(rough, self.model.image_size // 4, generator)
        hint = point_prompts(rough, 2, scale, generator)
        return [
            (point, twice, pointed & ~missed),
            (middle_prompts(boxed, scale), rows, boxed),
            (box_prompts(boxed, BOX_ERROR, scale, generator), rows, boxed),
            (
                box_prompts(framed, BOX_ERROR, scale, generator).and_points(points) if count == 4 else points,
                rows,
                framed,
            ),
            (mask.and_points(hint) if count == 2 else mask, rows, rough),
        ]


def pick_instances(instances: Tensor, generator: torch.Generator) -> Tensor:
    """The mask (B, H, W) of one random object of each picture; every picture must have one."""
    present = torch.stack(
        [(instances == number).any(1).any(1) for number in range(1, 1 + int(instances.max()))], 1
    )
    number = torch.multinomial(present.float(), 1, generator=generator) + 1
    picked: Tensor = instances == number[:, :, None]
    return picked
