"""The cache folder and what the recipes keep in it: sprites, datasets, runs and their results."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.pipelines.flux.pipeline_flux import FluxPipeline
from numpy.typing import NDArray

from toyland.collages import draw_collages
from toyland.dataset import Dataset, build_dataset
from toyland.encoded import Encoded, encode_dataset
from toyland.glimpses import glimpse_dataset
from toyland.pairs import EncodedPairs, encode_pairs
from toyland.sprites import fetch_sprites
from toyland.world import TRAIN_SEED, World, small_world

SHIPPED = Path(__file__).parent.parent / "workers" / "models" / "toyland"
GLIMPSES = 6000
COLLAGES = 8000
PAIRS = 8000
PROCESSES = 2  # that draw pictures


@dataclass(frozen=True)
class Workshop:
    """Everything a recipe starts from, made on first use and kept in `cache`."""

    cache: Path
    count: int  # training samples
    shipped: Path = SHIPPED  # weights to continue from, and where an export goes
    pair_count: int = PAIRS  # that the rival learns from

    @cached_property
    def world(self) -> World:
        """The world that is trained on."""
        return small_world(self._sprites)

    @cached_property
    def dataset(self) -> Dataset:
        """Training pictures."""
        return build_dataset(self.world, TRAIN_SEED, self.count, self._data, PROCESSES)

    @cached_property
    def collages(self) -> NDArray[np.uint8]:
        """(COLLAGES, H, W, 3): pictures of anything."""
        file = self.cache / "collages.npy"
        if not file.exists():
            np.save(file, draw_collages(self._sprites, TRAIN_SEED, COLLAGES))
        collages: NDArray[np.uint8] = np.load(file, mmap_mode="r")
        return collages

    @cached_property
    def encoded(self) -> Encoded:
        """The training pictures by the autoencoder, whose encoder stays as it is from here on."""
        return encode_dataset(self.open_autoencoder(), self.dataset, self._data)

    @cached_property
    def pairs(self) -> EncodedPairs:
        """Pictures without and with one more thing, by the shipped autoencoder."""
        vae = self.open_pipeline().vae
        count = self.pair_count
        return encode_pairs(vae, self.world, TRAIN_SEED, count, self.cache / f"pairs-{count}")

    @cached_property
    def glimpses(self) -> NDArray[np.uint8]:
        """(M, H, W, 3): the transformer's guesses at the first training pictures."""
        count, file = min(GLIMPSES, self.count), self._data / "glimpses.npy"
        return glimpse_dataset(self.open_newest(), self.dataset, self.encoded.latents, count, file)

    def run_folder(self, stage: str) -> Path:
        """Where a stage keeps its checkpoint, its loss curve and its result."""
        return self.cache / "runs" / stage

    def open_pipeline(self, stage: str | None = None) -> FluxPipeline:
        """The pipeline a stage ended with, or the shipped one, in float32."""
        folder = self.run_folder(stage) / "pipeline" if stage else self.shipped / "pipeline"
        return FluxPipeline.from_pretrained(folder, dtype=torch.float32)

    def open_newest(self, stages: tuple[str, ...] = ("guidance", "flux", "flux-half")) -> FluxPipeline:
        """The pipeline of the first of these stages that has ended, else the shipped one."""
        ended = (stage for stage in stages if (self.run_folder(stage) / "pipeline").is_dir())
        return self.open_pipeline(next(ended, None))

    def open_autoencoder(self) -> AutoencoderKL:
        """The one the vae stage ended with, or the shipped one."""
        trained = self.run_folder("vae") / "vae"
        return AutoencoderKL.from_pretrained(
            trained if trained.is_dir() else self.shipped / "pipeline" / "vae"
        )

    @property
    def _sprites(self) -> Path:
        return fetch_sprites(self.cache / "sprites")

    @property
    def _data(self) -> Path:
        return self.cache / f"train-{self.count}"
