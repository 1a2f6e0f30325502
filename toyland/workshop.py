"""The cache folder and what the recipes keep in it: sprites, datasets, runs and their results."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from diffusers.pipelines.flux.pipeline_flux import FluxPipeline
from numpy.typing import NDArray

from toyland.dataset import Dataset, build_dataset
from toyland.encoded import encode_dataset
from toyland.glimpses import glimpse_dataset
from toyland.sprites import fetch_sprites
from toyland.world import TRAIN_SEED, World, small_world

SHIPPED = Path(__file__).parent.parent / "workers" / "models" / "toyland"
GLIMPSES = 6000


@dataclass(frozen=True)
class Workshop:
    """Everything a recipe starts from, made on first use and kept in `cache`."""

    cache: Path
    count: int  # training samples
    shipped: Path = SHIPPED  # weights to continue from, and where an export goes

    @cached_property
    def world(self) -> World:
        """The world that is trained on."""
        return small_world(fetch_sprites(self.cache / "sprites"))

    @cached_property
    def dataset(self) -> Dataset:
        """Training pictures."""
        return build_dataset(self.world, TRAIN_SEED, self.count, self._data)

    @cached_property
    def latents(self) -> NDArray[np.float16]:
        """(N, C, h, w): their latents by the shipped autoencoder's encoder, which never changes."""
        return encode_dataset(self.open_pipeline().vae, self.dataset, self._data / "latents.npy")

    @cached_property
    def glimpses(self) -> NDArray[np.uint8]:
        """(M, H, W, 3): the shipped transformer's guesses at the first of them."""
        count, file = min(GLIMPSES, self.count), self._data / "glimpses.npy"
        return glimpse_dataset(self.open_pipeline(), self.dataset, self.latents, count, file)

    def run_folder(self, stage: str) -> Path:
        """Where a stage keeps its checkpoint, its loss curve and its result."""
        return self.cache / "runs" / stage

    def open_pipeline(self, stage: str | None = None) -> FluxPipeline:
        """The pipeline a stage ended with, or the shipped one, in float32."""
        folder = self.run_folder(stage) / "pipeline" if stage else self.shipped / "pipeline"
        return FluxPipeline.from_pretrained(folder, dtype=torch.float32)

    @property
    def _data(self) -> Path:
        return self.cache / f"train-{self.count}"
