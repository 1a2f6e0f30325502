"""Toyland's judge of what is where: a small anchor-free detector of the world's objects.

Centres as peaks of a heat map per class (CenterNet, arXiv 1904.07850), boxes as distances to their four sides
(FCOS, arXiv 1904.01355). It knows its own classes and nothing of the service.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from workers.addit.boxes import intersection_over_union

STRIDE = 8  # pixels of a cell of the heat map
COARSEST = 32  # pixels of a cell of the deepest features: a picture's sides are multiples of it
UNSHUFFLE = 4
NEARLY_NOWHERE = -5.0  # first logit of the heat
FOUR_CELLS = 1.4  # first logarithm of a side
LARGEST_LOG_SIDE = 4.0  # e^4 cells: more than any picture, and no overflow before training
SAME_THING_IOU = 0.7  # two peaks whose boxes agree this well are one thing seen as two classes
MOST_THINGS = 32  # peaks of a picture that are looked at


@dataclass(frozen=True)
class DetectorConfig:
    """What `config.json` holds: class names in the order of the heat maps, feature widths at strides 8, 16
    and 32, and the score from which on a peak counts."""

    names: tuple[str, ...]
    widths: tuple[int, int, int] = (64, 128, 160)
    threshold: float = 0.3


@dataclass(frozen=True)
class Detection:
    """A thing that was found. `box` is left, top, right, bottom in pixels; `score` lies in 0..1."""

    name: str
    score: float
    box: tuple[float, float, float, float]


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions beside the identity; one group norm."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(8, width)
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        nn.init.zeros_(self.second.weight)

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, h, w) -> the same shape."""
        inner: Tensor = self.second(F.relu(self.first(F.relu(self.norm(features)))))
        return features + inner


class Detector(nn.Module):
    """Features down to stride 32 and back up to stride 8, then a heat map per class and four distances."""

    def __init__(self, config: DetectorConfig) -> None:
        super().__init__()
        self.config = config
        fine, middle, coarse = config.widths
        self.stem = nn.Conv2d(3 * UNSHUFFLE**2, fine, 3, stride=2, padding=1)
        self.fine = ResidualBlock(fine)
        self.to_middle = nn.Conv2d(fine, middle, 3, stride=2, padding=1)
        self.middle = nn.Sequential(ResidualBlock(middle), ResidualBlock(middle))
        self.to_coarse = nn.Conv2d(middle, coarse, 3, stride=2, padding=1)
        self.coarse = nn.Sequential(ResidualBlock(coarse), nn.Conv2d(coarse, middle, 1))
        self.merged = nn.Sequential(ResidualBlock(middle), nn.Conv2d(middle, fine, 1))
        self.last = nn.Sequential(ResidualBlock(fine), nn.GroupNorm(8, fine), nn.ReLU())
        self.heat = nn.Conv2d(fine, len(config.names), 1)
        self.sides = nn.Conv2d(fine, 4, 1)
        for head, first in ((self.heat, NEARLY_NOWHERE), (self.sides, FOUR_CELLS)):
            assert head.bias is not None
            nn.init.constant_(head.bias, first)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, H, W) in -1..1 -> logits of the heat (B, K, H / 8, W / 8) and, in cells, the distances from
        each cell's middle to a box's left, top, right and bottom (B, 4, H / 8, W / 8)."""
        tiles = F.pixel_unshuffle(pictures, UNSHUFFLE).contiguous(memory_format=torch.channels_last)
        fine = self.fine(self.stem(tiles))
        middle = self.middle(self.to_middle(fine))
        coarse = self.coarse(self.to_coarse(middle))
        middle = self.merged(middle + F.interpolate(coarse, scale_factor=2.0))
        features = self.last(fine + F.interpolate(middle, scale_factor=2.0))
        return self.heat(features), self.sides(features).float().clamp(max=LARGEST_LOG_SIDE).exp()

    def detect(self, picture: NDArray[np.uint8], threshold: float | None = None) -> list[Detection]:
        """What is in a picture (H, W, 3), the surest first. `threshold` replaces the configuration's."""
        return self.detect_batch(torch.from_numpy(np.array(picture))[None], threshold)[0]

    @torch.no_grad()
    def detect_batch(self, pictures: Tensor, threshold: float | None = None) -> list[list[Detection]]:
        """What is in each of the pictures (B, H, W, 3) uint8 whose sides are multiples of 32."""
        heat, sides = self(to_input(pictures))
        least = self.config.threshold if threshold is None else threshold
        found = zip(heat.float().sigmoid(), cell_boxes(sides), strict=True)
        return [self._pick(picture_heat, boxes, least) for picture_heat, boxes in found]

    def _pick(self, heat: Tensor, boxes: Tensor, threshold: float) -> list[Detection]:
        """Peaks of the heat (K, h, w) above the threshold with their boxes (h, w, 4), the same thing once."""
        peaks = torch.where(heat == F.max_pool2d(heat[None], 3, 1, 1)[0], heat, 0.0)
        scores, places = peaks.flatten().topk(min(MOST_THINGS, peaks.numel()))
        classes, cells = places // heat[0].numel(), places % heat[0].numel()
        kept = list[int]()
        corners = boxes.flatten(0, 1)[cells]
        overlaps = intersection_over_union(corners, corners)
        for index in range(int((scores > threshold).sum())):
            if all(overlaps[index, better] < SAME_THING_IOU for better in kept):
                kept.append(index)
        return [self._detection(classes[index], scores[index], corners[index]) for index in kept]

    def _detection(self, number: Tensor, score: Tensor, corners: Tensor) -> Detection:
        left, top, right, bottom = corners.tolist()
        return Detection(self.config.names[int(number)], float(score), (left, top, right, bottom))


def to_input(pictures: Tensor) -> Tensor:
    """(B, H, W, 3) uint8 -> (B, 3, H, W) in -1..1."""
    return pictures.permute(0, 3, 1, 2).float().div(127.5).sub(1).contiguous()


def cell_boxes(sides: Tensor) -> Tensor:
    """Distances (B, 4, h, w) in cells -> boxes (B, h, w, 4) in pixels: left, top, right, bottom."""
    height, width = sides.shape[-2:]
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    middles = torch.stack([columns, rows], -1) + 0.5  # (h, w, 2)
    distances = sides.permute(0, 2, 3, 1)
    return torch.cat([middles - distances[..., :2], middles + distances[..., 2:]], -1) * STRIDE


def load_detector(folder: Path) -> Detector:
    """The detector of a folder with `config.json` and `model.safetensors`, float32, in evaluation mode."""
    fields = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config = DetectorConfig(tuple(fields["names"]), tuple(fields["widths"]), fields["threshold"])
    detector = Detector(config)
    weights = load_file(folder / "model.safetensors")
    detector.load_state_dict({name: weight.float() for name, weight in weights.items()})
    return detector.eval()


def save_detector(detector: Detector, folder: Path) -> None:
    """Write what `load_detector` reads, the weights in float16."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(asdict(detector.config), indent=2) + "\n"
    (folder / "config.json").write_text(text, encoding="utf-8")
    weights = {name: weight.half().contiguous() for name, weight in detector.state_dict().items()}
    save_file(weights, folder / "model.safetensors")
