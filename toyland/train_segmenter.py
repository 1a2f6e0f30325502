"""Recipe of the segmenter: prompts of every kind on pictures as drawn and as the transformer guesses them."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from sam2.modeling.sam2_base import SAM2Base
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from toyland.detection_targets import NOBODY
from toyland.disturbances import disturb
from toyland.mask_loss import segmentation_loss
from toyland.objects import OBJECTS
from toyland.prompts import Prompts, box_prompts, middle_prompts, point_prompts, rough_mask_prompts
from toyland.segmenter import decoder_features, load_segmenter, normalise, predict_masks, see_images
from toyland.train_detector import contents_of, things_of
from toyland.training import Plan, train
from toyland.workshop import Workshop

PLAN = Plan(learning_rate=1.5e-3, warmup_steps=30, decay_from=0.3, ema_decay=0.995)
NOTHING_SHARE = 0.1  # of points lie on the bare scene
GLIMPSED_SHARE = 0.4  # of a batch, when there are glimpses
NAMING_WEIGHT = 0.3
BACKGROUND_WEIGHT = 0.1  # of a cell without a thing: most are
BOX_ERROR = 0.04  # of a box's size
POINTED_THINGS = 2  # of a picture and a batch: a prompt costs a fifth of what embedding the picture does


@dataclass(frozen=True)
class SegmenterRecipe:
    """Each batch: pictures, half of them disturbed, each embedded once, with six prompts on things in it.

    Beside the masks the encoder's finest features learn to name what each cell shows: knowing the things is
    the greater part of cutting them out, and names teach it sooner than masks do. The head is not kept.

    naming: 1 x 1 convolution from the encoder's features to the background and all classes
    pictures: (N, H, W, 3) uint8; instances: (N, H, W) uint8; classes: (N, M) of the instances, or NOBODY
    glimpses: (M, H, W, 3) uint8, the transformer's guesses at the first M pictures, or none
    """

    model: SAM2Base
    naming: nn.Conv2d
    pictures: NDArray[np.uint8]
    instances: NDArray[np.uint8]
    classes: Tensor
    glimpses: NDArray[np.uint8] | None = None
    batch: int = 12

    @property
    def trained(self) -> nn.Module:
        """All of SAM-2, whose memory for videos gets no gradient and stays as it was, and the naming head."""
        return nn.ModuleList([self.model, self.naming])

    def loss(self, generator: torch.Generator) -> Tensor:
        """Mean of the prompt kinds' losses on one batch."""
        pictures, instances, classes = self._draw_pictures(generator)
        images = normalise(self._disturb_half(pictures, generator), self.model.image_size)
        losses = []
        with sdpa_kernel(SDPBackend.MATH):  # on CPUs the fused kernel is slower for heads this small
            with torch.autocast("cpu", torch.bfloat16):
                seen = see_images(self.model, images)
                names = self.naming(seen[0]).float()
                features = [feature.float() for feature in decoder_features(self.model, seen)]
            for prompts, rows, wanted in self._draw_prompts(instances, generator):
                logits, ious, presence = predict_masks(self.model, [map_[rows] for map_ in features], prompts)
                losses.append(segmentation_loss(logits, ious, presence, wanted) * len(rows))
        masks = torch.stack(losses).sum() / (len(losses) * len(pictures))
        return masks + NAMING_WEIGHT * naming_loss(names, instances, classes)

    def _draw_pictures(self, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """(B, H, W, 3) pictures, the last of them glimpses, (B, H, W) instances, half of both mirrored, and
        (B, M) classes of the instances."""
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
        return pictures[kept], instances[kept], self.classes[torch.from_numpy(rows)[kept]]

    def _disturb_half(self, pictures: Tensor, generator: torch.Generator) -> Tensor:
        """(B, H, W, 3) uint8 -> the same, every other picture disturbed."""
        disturbed = disturb(pictures[::2].permute(0, 3, 1, 2).float() / 255, generator)
        half = pictures.clone()
        half[::2] = (disturbed.permute(0, 2, 3, 1) * 255).round().byte()
        return half

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


def naming_loss(names: Tensor, instances: Tensor, classes: Tensor) -> Tensor:
    """Cross-entropy of each cell's logits (B, 1 + K, h, w) against the class of the pixel in its middle."""
    stride = instances.shape[-1] // names.shape[-1]
    shown = instances[:, stride // 2 :: stride, stride // 2 :: stride].long()
    table = F.pad(classes - NOBODY, (1, 0))  # instance -> 0 for the background, 1 + class
    wanted = table.gather(1, shown.flatten(1)).view_as(shown)
    weight = torch.ones(names.shape[1])
    weight[0] = BACKGROUND_WEIGHT
    return F.cross_entropy(names, wanted, weight)


def hidden_matrices(model: SAM2Base) -> list[nn.Parameter]:
    """The weights of the encoder's and the decoder's blocks: what Muon is right for."""
    return [
        parameter
        for name, parameter in model.named_parameters()
        if parameter.ndim == 2 and (".blocks." in name or ".transformer.layers." in name)
    ]


def train_sam2(workshop: Workshop, plan: Plan) -> None:
    """The segmenter, on from the shipped weights."""
    torch.manual_seed(plan.seed)
    model, folder = load_segmenter(workshop.shipped / "sam2").train(), workshop.run_folder("sam2")
    dataset, names = workshop.dataset, [kind.name for kind in OBJECTS]
    naming = nn.Conv2d(model.hidden_dim, 1 + len(names), 1)
    classes = things_of(names, contents_of(dataset)).classes
    recipe = SegmenterRecipe(model, naming, dataset.pictures, dataset.instances, classes)
    train(recipe, plan, folder, hidden_matrices(model)).use_average()
    weights = {name: weight.half().contiguous() for name, weight in model.state_dict().items()}
    save_file(weights, folder / "model.safetensors")
