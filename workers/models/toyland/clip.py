"""Toyland's judge of captions: a small CLIP (arXiv 2103.00020) over the world's closed vocabulary.

A convolutional picture tower and a transformer over words meet in one space, where a picture lies next to
what may be said of it. It knows nothing of the service.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from workers.models.toyland.detector import ResidualBlock, to_input

UNSHUFFLE = 2
HEADS = 4
TEXT_LAYERS = 2
MOST_WORDS = 40
PADDING, UNKNOWN = 0, 1  # token ids; the words follow
FIRST_SCALE = 10.0  # of the cosines, before training


@dataclass(frozen=True)
class ClipConfig:
    """What `config.json` holds.

    words: the vocabulary; side: pixels of a picture as the tower sees it; widths: of its features at strides
    4, 8 and 16; text_width: of the words; dimensions: of the common space
    """

    words: tuple[str, ...]
    side: int = 128
    widths: tuple[int, int, int] = (48, 96, 192)
    text_width: int = 128
    dimensions: int = 128


class PictureTower(nn.Module):
    """Convolutions down to stride 16, then what is there on average and what is there anywhere."""

    def __init__(self, config: ClipConfig) -> None:
        super().__init__()
        fine, middle, coarse = config.widths
        self.features = nn.Sequential(
            nn.Conv2d(3 * UNSHUFFLE**2, fine, 3, stride=2, padding=1),
            ResidualBlock(fine),
            nn.Conv2d(fine, middle, 3, stride=2, padding=1),
            ResidualBlock(middle),
            ResidualBlock(middle),
            nn.Conv2d(middle, coarse, 3, stride=2, padding=1),
            ResidualBlock(coarse),
            nn.GroupNorm(8, coarse),
            nn.ReLU(),
            nn.Conv2d(coarse, coarse, 1),
        )
        self.project = nn.Linear(2 * coarse, config.dimensions)

    def forward(self, pictures: Tensor) -> Tensor:
        """(B, 3, S, S) in -1..1 -> (B, D)."""
        tiles = F.pixel_unshuffle(pictures, UNSHUFFLE).contiguous(memory_format=torch.channels_last)
        features = self.features(tiles)
        projected: Tensor = self.project(torch.cat([features.mean((2, 3)), features.amax((2, 3))], 1))
        return projected


class TextTower(nn.Module):
    """A transformer over words; its mean over them."""

    def __init__(self, config: ClipConfig) -> None:
        super().__init__()
        width = config.text_width
        self.words = nn.Embedding(len(config.words) + 2, width)
        self.places = nn.Parameter(torch.randn(MOST_WORDS, width) * 0.1)
        layer = nn.TransformerEncoderLayer(
            width, HEADS, 4 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(
            layer, TEXT_LAYERS, norm=nn.LayerNorm(width), enable_nested_tensor=False
        )
        self.project = nn.Linear(width, config.dimensions)

    def forward(self, ids: Tensor) -> Tensor:
        """(B, T) token ids, padded at the end -> (B, D)."""
        absent = ids == PADDING
        absent[:, 0] = False  # of a text without words one padding is seen
        encoded = self.layers(self.words(ids) + self.places[: ids.shape[1]], src_key_padding_mask=absent)
        present = (~absent)[..., None]
        projected: Tensor = self.project((encoded * present).sum(1) / present.sum(1))
        return projected


class Clip(nn.Module):
    """Both towers and the scale of their cosines."""

    def __init__(self, config: ClipConfig) -> None:
        super().__init__()
        self.config = config
        self.picture_tower = PictureTower(config)
        self.text_tower = TextTower(config)
        self.log_scale = nn.Parameter(torch.tensor(FIRST_SCALE).log())
        self._ids = {word: number for number, word in enumerate(config.words, UNKNOWN + 1)}

    @torch.no_grad()
    def embed_pictures(self, pictures: Sequence[NDArray[np.uint8]]) -> Tensor:
        """Pictures of one size, each (H, W, 3) -> (B, D), of unit length."""
        seen = self.see(torch.from_numpy(np.stack(list(pictures))))
        return F.normalize(self.picture_tower(seen).float(), dim=1)

    @torch.no_grad()
    def embed_texts(self, texts: Sequence[str]) -> Tensor:
        """(B, D), of unit length."""
        return F.normalize(self.text_tower(self.tokenize(texts)).float(), dim=1)

    def see(self, pictures: Tensor) -> Tensor:
        """(B, H, W, 3) uint8 -> (B, 3, S, S) in -1..1."""
        side = (self.config.side, self.config.side)
        return F.interpolate(to_input(pictures), side, mode="bilinear", antialias=True)

    def tokenize(self, texts: Sequence[str]) -> Tensor:
        """(B, MOST_WORDS) ids of the words, as they stand between spaces, in lower case."""
        ids = torch.full((len(texts), MOST_WORDS), PADDING)
        for row, text in enumerate(texts):
            words = [self._ids.get(word, UNKNOWN) for word in text.lower().split()[:MOST_WORDS]]
            ids[row, : len(words)] = torch.tensor(words, dtype=torch.long)
        return ids


def load_clip(folder: Path) -> Clip:
    """The CLIP of a folder with `config.json` and `model.safetensors`, float32, in evaluation mode."""
    fields = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    clip = Clip(ClipConfig(**fields | {name: tuple(fields[name]) for name in ("words", "widths")}))
    weights = load_file(folder / "model.safetensors")
    clip.load_state_dict({name: weight.float() for name, weight in weights.items()})
    return clip.eval()


def save_clip(clip: Clip, folder: Path) -> None:
    """Write what `load_clip` reads, the weights in float16."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(asdict(clip.config), indent=2) + "\n", encoding="utf-8")
    weights = {name: weight.half().contiguous() for name, weight in clip.state_dict().items()}
    save_file(weights, folder / "model.safetensors")
