"""Which part of which object each token shows: what a transformer in training is asked on the way.

Representation alignment (REPA, arXiv 2410.06940) makes a transformer's inner tokens say what a pretrained
vision model sees in the clean picture, and training many times faster. Here the world knows: nothing has to
see.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from toyland.label import Label
from toyland.objects import OBJECTS
from toyland.placement import Box

TOKEN = 16  # pixels
LEAST = 0.15  # of a token's square, for it to show a thing
FARTHEST = 1.5  # half boxes from the middle
CHUNK = 200
NUMBERS = {kind.name: number for number, kind in enumerate(OBJECTS, start=1)}


def find_parts(
    instances: NDArray[np.uint8], labels: Sequence[Label], boxes: Sequence[Sequence[Box]]
) -> NDArray[np.float16]:
    """(N, H, W) instances -> (N, H / TOKEN, W / TOKEN, 3): object, and where in it, across and down.

    The object is 0 for the scene, else its place in the catalogue, from 1. Where is the square's middle, seen
    from the middle of the thing's box in half boxes: -1..1 inside it.
    """
    parts = np.zeros((len(labels), instances.shape[1] // TOKEN, instances.shape[2] // TOKEN, 3), np.float16)
    for start in range(0, len(labels), CHUNK):
        shown = dominant_things(np.asarray(instances[start : start + CHUNK]))
        for index, things in enumerate(shown, start):
            for number, (name, box) in enumerate(
                zip(labels[index].names, boxes[index], strict=True), start=1
            ):
                at = things == number
                parts[index, at, 0] = NUMBERS[name]
                parts[index, at, 1:] = _places(at, box)
    return parts


def dominant_things(instances: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(N, H, W) -> (N, H / TOKEN, W / TOKEN): the thing that fills most of each square, 0 where none does."""
    count, height, width = instances.shape
    squares = instances.reshape(count, height // TOKEN, TOKEN, width // TOKEN, TOKEN)
    shares = np.stack(
        [(squares == number).mean((2, 4)) for number in range(1, int(instances.max()) + 1)]
        or [np.zeros((count, height // TOKEN, width // TOKEN))]
    )
    found: NDArray[np.uint8] = np.where(shares.max(0) >= LEAST, shares.argmax(0) + 1, 0).astype(np.uint8)
    return found


def halve_parts(parts: Tensor, shares: Tensor) -> Tensor:
    """(B, h, w, 3) -> (B, h / 2, w / 2, 3): of each four, what the one shows that is fullest (B, h, w)."""
    fullest = _by_fours(shares[..., None]).squeeze(-1).argmax(-1)
    return torch.take_along_dim(_by_fours(parts), fullest[..., None, None], dim=3).squeeze(3)


class PartReader(nn.Module):
    """What the inner tokens (B, L, D) say of the parts they show: (B, L, objects + 1 + 2)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.read = nn.Linear(width, len(OBJECTS) + 3)

    def forward(self, tokens: Tensor) -> Tensor:
        said: Tensor = self.read(self.norm(tokens.float()))
        return said


def part_error(said: Tensor, parts: Tensor, weight: Tensor) -> Tensor:
    """How wrong that is: cross-entropy over objects, and distance within the things that are there.

    said (B, L, objects + 3); parts (B, L, 3); weight of each sample (B,). Things and bare scene count alike.
    """
    objects, places = parts[..., 0].long(), parts[..., 1:]
    there = (objects > 0).float()
    wrong = F.cross_entropy(said[..., :-2].transpose(1, 2), objects, reduction="none")
    astray = F.smooth_l1_loss(said[..., -2:], places, reduction="none").sum(-1)
    return _mean(wrong + astray, there * weight[:, None]) + _mean(wrong, (1 - there) * weight[:, None])


class Overheard(nn.Module):
    """A double block whose outgoing image tokens are kept: `heard`, (B, L, D)."""

    heard: Tensor

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.block = block

    def forward(self, **inputs: object) -> tuple[Tensor, Tensor]:
        text, image = self.block(**inputs)
        self.heard = image
        return text, image


@contextmanager
def overhear(transformer: FluxTransformer2DModel) -> Iterator[Overheard]:
    """Listen to the last double block for a while."""
    blocks = transformer.transformer_blocks
    kept, blocks[-1] = blocks[-1], Overheard(blocks[-1])
    try:
        yield blocks[-1]
    finally:
        blocks[-1] = kept


def _places(at: NDArray[np.bool_], box: Box) -> NDArray[np.float64]:
    left, top, right, bottom = box
    row, column = np.nonzero(at)
    across = (TOKEN * (column + 0.5) - (left + right) / 2) / max(1, (right - left) / 2)
    down = (TOKEN * (row + 0.5) - (top + bottom) / 2) / max(1, (bottom - top) / 2)
    return np.clip(np.stack([across, down], -1), -FARTHEST, FARTHEST)


def _by_fours(grid: Tensor) -> Tensor:
    """(B, h, w, D) -> (B, h / 2, w / 2, 4, D)."""
    count, height, width, depth = grid.shape
    squares = grid.reshape(count, height // 2, 2, width // 2, 2, depth)
    return squares.transpose(2, 3).flatten(3, 4)


def _mean(values: Tensor, weights: Tensor) -> Tensor:
    return (values * weights).sum() / weights.sum().clamp(min=1e-6)
