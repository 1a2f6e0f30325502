"""Datasets as the transformer sees them: latents, and where things are."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

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
from toyland.parts import TOKEN, find_parts, halve_parts

BATCH = 4  # more would not fit the cache of a CPU
CROWDING = (0.25, 1.0, 1.6, 2.0)  # odds by how many things a sample shows; more count as the last


class Drawn(NamedTuple):
    """B samples of a dataset.

    indices: (B,)
    latents: (B, C, h, w) normalised
    shares: (B, h / 2, w / 2), how much of each token's square shows a thing, 0..1
    parts: (B, h / 2, w / 2, 3), what part of which (toyland.parts.find_parts)
    """

    indices: Tensor
    latents: Tensor
    shares: Tensor
    parts: Tensor

    @property
    def tokens(self) -> Tensor:
        """(B, L, 4C) packed latents."""
        return pack(self.latents)

    def halved(self) -> "Drawn":
        """The same pictures at half size."""
        shares = F.avg_pool2d(self.shares[:, None], 2)[:, 0]
        return Drawn(
            self.indices, F.avg_pool2d(self.latents, 2), shares, halve_parts(self.parts, self.shares)
        )


@dataclass(frozen=True)
class Encoded:
    """N samples.

    latents: (N, C, h, w) normalised
    shares: (N, h / 2, w / 2), how much of each token's square shows a thing, 0..1
    parts: (N, h / 2, w / 2, 3), what part of which (toyland.parts.find_parts)
    odds: (N,) how often each is drawn, in any unit
    """

    latents: NDArray[np.float16]
    shares: NDArray[np.float16]
    parts: NDArray[np.float16]
    odds: NDArray[np.float32]

    def __len__(self) -> int:
        return int(self.latents.shape[0])

    def draw(self, count: int, generator: torch.Generator) -> Drawn:
        """Some samples, as often as their odds say."""
        odds = torch.from_numpy(self.odds)
        indices = torch.multinomial(odds, count, replacement=True, generator=generator)
        latents, shares, parts = (
            torch.from_numpy(of_each[indices.numpy()]).float()
            for of_each in (self.latents, self.shares, self.parts)
        )
        return Drawn(indices, latents, shares, parts)


def encode_dataset(vae: AutoencoderKL, dataset: Dataset, folder: Path) -> Encoded:
    """Encode every picture; computed once and kept in the folder."""
    if not (folder / "shares.npy").exists():
        _encode_all(vae, dataset, folder / "latents.npy")
        # Written last: its presence says that the latents are whole.
        np.save(folder / "shares.npy", object_shares(dataset.instances))
    if not (folder / "parts.npy").exists():
        np.save(folder / "parts.npy", find_parts(dataset.instances, dataset.labels, dataset.boxes))
    latents = np.load(folder / "latents.npy", mmap_mode="r")
    shares, parts = (np.load(folder / f"{name}.npy") for name in ("shares", "parts"))
    return Encoded(latents, shares, parts, sampling_odds(dataset.labels))


def sampling_odds(labels: Sequence[Label]) -> NDArray[np.float32]:
    """(N,) odds that bring rare things and crowded scenes nearer to common ones.

    A sample counts by the root of how much rarer than usual its rarest thing is, times CROWDING of its number
    of things. Bare scenes are learned in no time; of two things named side by side either often takes on
    parts of the other, and a thing added to a scene that has some stands or falls with that.
    """
    counts = Counter(name for label in labels for name in label.names)
    usual = sum(counts.values()) / max(1, len(counts))
    rare = [(usual / min((counts[name] for name in label.names), default=usual)) ** 0.5 for label in labels]
    crowded = [CROWDING[min(len(label.names), len(CROWDING) - 1)] for label in labels]
    return np.array(rare, np.float32) * np.array(crowded, np.float32)


def object_shares(instances: NDArray[np.uint8]) -> NDArray[np.float16]:
    """(N, H, W) instances -> (N, H / TOKEN, W / TOKEN): the share of each square that is not bare scene."""
    count, height, width = instances.shape
    squares = (instances > 0).reshape(count, height // TOKEN, TOKEN, width // TOKEN, TOKEN)
    shares: NDArray[np.float16] = squares.mean((2, 4)).astype(np.float16)
    return shares


@torch.no_grad()
def _encode_all(vae: AutoencoderKL, dataset: Dataset, file: Path) -> None:
    channels, side = int(vae.config["latent_channels"]), dataset.pictures.shape[1] // 8
    shape = (len(dataset), channels, side, side)
    latents = np.lib.format.open_memmap(file, "w+", np.float16, shape)
    for start in track(range(0, len(dataset), BATCH), "encoding"):
        pictures = to_tensor(torch.from_numpy(np.array(dataset.pictures[start : start + BATCH])))
        pictures = pictures.contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            latents[start : start + BATCH] = encode(vae, pictures).half().numpy()
    latents.flush()
