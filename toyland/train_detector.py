"""Recipe of the detector: things in disturbed pictures and the transformer's guesses; blobs are no things."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from toyland.dataset import Dataset
from toyland.detection_targets import NOBODY, Things, detection_loss
from toyland.disturbances import MELTED_SHARE, add_blobs, disturb, melt
from toyland.judge_scores import best_threshold, detections
from toyland.objects import OBJECTS
from toyland.placement import Box
from toyland.training import Plan, train
from toyland.workshop import Workshop
from toyland.world import VALIDATION_SEED, World
from workers.models.toyland.detector import Detector, DetectorConfig, load_detector, save_detector

PLAN = Plan(learning_rate=1.5e-3, warmup_steps=100, decay_from=0.3, ema_decay=0.995)
FAINTEST = 0.05  # score of detections that the threshold is chosen among
VALIDATED = 400  # pictures that the threshold is chosen on, and as many empty scenes
GLIMPSED_SHARE = 0.4  # of a batch, when there are glimpses


@dataclass(frozen=True)
class DetectorRecipe:
    """Each batch: pictures, half of them mirrored, all of them disturbed.

    pictures: (N, H, W, 3) uint8; instances: (N, H, W) uint8; things: of the N pictures, in the same order
    glimpses: (M, H, W, 3) uint8, other versions of the first M pictures (decoded, guessed), or none
    """

    detector: Detector
    pictures: NDArray[np.uint8]
    instances: NDArray[np.uint8]
    things: Things
    glimpses: NDArray[np.uint8] | None = None
    batch: int = 16

    @property
    def trained(self) -> nn.Module:
        """All of the detector."""
        return self.detector

    def loss(self, generator: torch.Generator) -> Tensor:
        """Heat and box loss of one batch."""
        pictures, instances, things = self._draw(generator)
        pictures, things = self._melt_some(pictures, instances, things, generator)
        pictures = disturb(add_blobs(pictures, instances == 0, generator), generator)
        with torch.autocast("cpu", torch.bfloat16):
            heat, sides = self.detector(pictures * 2 - 1)
        return detection_loss(heat, sides, things)

    def _draw(self, generator: torch.Generator) -> tuple[Tensor, Tensor, Things]:
        """Pictures (B, 3, H, W) in 0..1, instances (B, H, W) and things, some of the pictures mirrored."""
        glimpsed = round(self.batch * GLIMPSED_SHARE) if self.glimpses is not None else 0
        drawn = torch.randint(len(self.pictures), (self.batch - glimpsed,), generator=generator)
        chosen, indices = self.pictures[drawn.numpy()], drawn
        if self.glimpses is not None:
            others = torch.randint(len(self.glimpses), (glimpsed,), generator=generator)
            chosen = np.concatenate([chosen, self.glimpses[others.numpy()]])
            indices = torch.cat([drawn, others])
        pictures = torch.from_numpy(chosen).permute(0, 3, 1, 2).float() / 255
        instances = torch.from_numpy(self.instances[indices.numpy()])
        flips = torch.rand(self.batch, generator=generator) < 0.5
        things = Things(self.things.classes[indices], self.things.boxes[indices])
        pictures = torch.where(flips[:, None, None, None], pictures.flip(-1), pictures)
        instances = torch.where(flips[:, None, None], instances.flip(-1), instances)
        return pictures, instances, things.flipped(flips, pictures.shape[-1])

    def _melt_some(
        self, pictures: Tensor, instances: Tensor, things: Things, generator: torch.Generator
    ) -> tuple[Tensor, Things]:
        """Melt one thing of a few pictures: what is left has no name."""
        batch, places = things.classes.shape
        which = torch.randint(places, (batch,), generator=generator)
        melted = torch.rand(batch, generator=generator) < MELTED_SHARE * places
        masks = (instances == which[:, None, None] + 1) & melted[:, None, None]
        gone = melted[:, None] & (torch.arange(places) == which[:, None])
        return melt(pictures, masks), Things(things.classes.masked_fill(gone, NOBODY), things.boxes)


def things_of(names: Sequence[str], pictures: Sequence[Sequence[tuple[str, Box]]]) -> Things:
    """Things of every picture's (name, box) pairs; classes are places in `names`."""
    most = max(1, max(map(len, pictures)))
    classes = torch.full((len(pictures), most), NOBODY)
    boxes = torch.zeros(len(pictures), most, 4)
    for row, things in enumerate(pictures):
        for column, (name, box) in enumerate(things):
            classes[row, column] = names.index(name)
            boxes[row, column] = torch.tensor(box)
    return Things(classes, boxes)


def contents_of(dataset: Dataset) -> list[list[tuple[str, Box]]]:
    """Name and box of every thing of every sample."""
    return [
        list(zip(label.names, boxes, strict=True))
        for label, boxes in zip(dataset.labels, dataset.boxes, strict=True)
    ]


def first_detector(folder: Path, names: tuple[str, ...]) -> Detector:
    """The folder's detector, in training mode; one of random weights if there is none of these classes."""
    if (folder / "config.json").exists():
        detector = load_detector(folder)
        if detector.config.names == names:
            return detector.train()
    return Detector(DetectorConfig(names))


def hidden_convolutions(model: nn.Module) -> list[nn.Parameter]:
    """The weights of all 3 x 3 convolutions: what Muon is right for."""
    return [parameter for parameter in model.parameters() if parameter.ndim == 4 and parameter.shape[-1] == 3]


def choose_threshold(detector: Detector, world: World, count: int) -> float:
    """The threshold that suits `count` pictures of the world and as many empty scenes, none trained on."""
    samples = [world.draw(VALIDATION_SEED, index) for index in range(count)]
    found = detections(detector, [np.asarray(sample.picture) for sample in samples], FAINTEST)
    empty = detections(detector, [np.asarray(sample.empty) for sample in samples], FAINTEST)
    contents = [list(zip(sample.objects, sample.boxes, strict=True)) for sample in samples]
    return best_threshold(found, contents, empty)


def train_detector(workshop: Workshop, plan: Plan) -> None:
    """The detector, on from the shipped weights if they are of the same classes, and its threshold."""
    torch.manual_seed(plan.seed)
    names = tuple(kind.name for kind in OBJECTS)
    detector = first_detector(workshop.shipped / "detector", names)
    dataset, folder = workshop.dataset, workshop.run_folder("detector")
    things = things_of(names, contents_of(dataset))
    recipe = DetectorRecipe(detector, dataset.pictures, dataset.instances, things)
    train(recipe, plan, folder, hidden_convolutions(detector)).use_average()
    detector.config = replace(
        detector.config, threshold=choose_threshold(detector.eval(), workshop.world, VALIDATED)
    )
    save_detector(detector, folder / "detector")
