"""Datasets as the transformer sees them: latents."""

from pathlib import Path

import numpy as np
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from numpy.typing import NDArray
from rich.progress import track

from toyland.dataset import Dataset
from toyland.latents import encode, to_tensor

BATCH = 64


@torch.no_grad()
def encode_dataset(vae: AutoencoderKL, dataset: Dataset, file: Path) -> NDArray[np.float16]:
    """Latents (N, C, h, w) of every picture, computed once and kept in the file."""
    if not file.exists():
        batches = []
        for start in track(range(0, len(dataset), BATCH), "encoding"):
            pictures = torch.from_numpy(dataset.pictures[start : start + BATCH])
            with torch.autocast("cpu", torch.bfloat16):
                batches.append(encode(vae, to_tensor(pictures)).half())
        np.save(file, torch.cat(batches).numpy())
    latents: NDArray[np.float16] = np.load(file, mmap_mode="r")
    return latents
