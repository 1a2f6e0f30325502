"""Datasets as the transformer sees them: latents, also of the mirrored pictures, and where things are."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from numpy.typing import NDArray
from rich.progress import track
from torch import Tensor
from torch.nn import functional as F

from toyland.dataset import Dataset
from toyland.label import Label
from toyland.latents import encode, pack, to_tensor

BATCH = 4  # more would not fit the cache of a CPU
TOKEN = 16  # pixels


@dataclass(frozen=True)
class Encoded:
    """N samples and their mirror images.

    latents: (2, N, C, h, w) normalised; index 1 is mirrored
    shares: (N, h / 2, w / 2), how much of each token's square shows a thing, 0..1
    odds: (N,) how often each is drawn, in any unit
    """

    latents: NDArray[np.float16]
    shares: NDArray[np.float16]
    odds: NDArray[np.float32]

    def __len__(self) -> int:
        return int(self.latents.shape[1])

    def draw(self, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Sample indices (B,), their latents (B, C, h, w) and shares (B, h / 2, w / 2), half mirrored."""
        odds = torch.from_numpy(self.odds)
        indices = torch.multinomial(odds, count, replacement=True, generator=generator)
        mirrored = torch.randint(self.latents.shape[0], (count,), generator=generator)
        latents = torch.from_numpy(self.latents[mirrored.numpy(), indices.numpy()]).float()
        shares = torch.from_numpy(self.shares[indices.numpy()]).float()
        return indices, latents, torch.where(mirrored[:, None, None] > 0, shares.flip(-1), shares)


def encode_dataset(vae: AutoencoderKL, dataset: Dataset, folder: Path) -> Encoded:
    """Encode every picture twice; computed once and kept in the folder."""
    if not (folder / "shares.npy").exists():
        _encode_all(vae, dataset, folder / "latents.npy")
        # Written last: its presence says that the latents are whole.
        np.save(folder / "shares.npy", object_shares(dataset.instances))
    latents, shares = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("latents", "shares"))
    return Encoded(latents, shares, rarity(dataset.labels))


def rarity(labels: Sequence[Label]) -> NDArray[np.float32]:
    """(N,) odds that bring rare things nearer to common ones.

    A sample counts by the root of how much rarer than usual its rarest thing is; one without things counts 1.
    """
    counts = Counter(name for label in labels for name in label.names)
    usual = sum(counts.values()) / max(1, len(counts))
    odds = [(usual / min((counts[name] for name in label.names), default=usual)) ** 0.5 for label in labels]
    return np.array(odds, np.float32)


def object_shares(instances: NDArray[np.uint8]) -> NDArray[np.float16]:
    """(N, H, W) instances -> (N, H / TOKEN, W / TOKEN): the share of each square that is not bare scene."""
    count, height, width = instances.shape
    squares = (instances > 0).reshape(count, height // TOKEN, TOKEN, width // TOKEN, TOKEN)
    shares: NDArray[np.float16] = squares.mean((2, 4)).astype(np.float16)
    return shares


def halve(latents: Tensor, shares: Tensor) -> tuple[Tensor, Tensor]:
    """The same at half size: (B, C, h / 2, w / 2) and (B, h / 4, w / 4)."""
    return F.avg_pool2d(latents, 2), F.avg_pool2d(shares[:, None], 2)[:, 0]


def tokens_of(latents: Tensor, shares: Tensor) -> tuple[Tensor, Tensor]:
    """Packed tokens (B, L, 4C) and their shares (B, L)."""
    return pack(latents), shares.flatten(1)


@torch.no_grad()
def _encode_all(vae: AutoencoderKL, dataset: Dataset, file: Path) -> None:
    channels, side = int(vae.config["latent_channels"]), dataset.pictures.shape[1] // 8
    shape = (2, len(dataset), channels, side, side)
    latents = np.lib.format.open_memmap(file, "w+", np.float16, shape)
    for start in track(range(0, len(dataset), BATCH), "encoding"):
        pictures = to_tensor(torch.from_numpy(np.array(dataset.pictures[start : start + BATCH])))
        pictures = pictures.contiguous(memory_format=torch.channels_last)
        for mirrored, tensor in enumerate((pictures, pictures.flip(-1))):
            with torch.autocast("cpu", torch.bfloat16):
                latents[mirrored, start : start + BATCH] = encode(vae, tensor).half().numpy()
    latents.flush()
