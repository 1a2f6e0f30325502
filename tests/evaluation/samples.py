"""What several of the evaluation's tests need."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from evaluation.methods.method import Workbench
from evaluation.suites.items import Item
from tests.workers import pipelines
from toyland.world import World
from workers.addit.backbones.flux import FluxBackbone
from workers.addit.localizers import Picture
from workers.addit.models import Models
from workers.models.profiles import embedded_profile, layers_by_depth


def no_world() -> World:
    """For suites that need none."""
    raise AssertionError("nothing is to be drawn")


SIDE = 64
"""Pixels of the tiny pictures."""
TOLD = Item("a", "a photo of a beach", "a photo of a beach with a dog", "dog", "add a dog", seed=3)


def tiny_bench() -> Workbench:
    """FLUX with two blocks of either kind and Toyland's own text encoders and autoencoder, no segmenter."""
    pipe = pipelines.flux()
    device = torch.device("cpu")
    bench = Workbench(embedded_profile())
    layers = layers_by_depth(2, 2)
    bench.models = Models(pipe, FluxBackbone(pipe, 32, device), None, layers, 32, device)
    return bench


def picture(seed: int = 0, side: int = SIDE) -> Picture:
    """Smooth noise, which an autoencoder keeps."""
    coarse = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC))


def pictured(folder: Path, item: Item = TOLD) -> Item:
    """The item with a picture in the folder."""
    file = folder / "source.png"
    Image.fromarray(picture()).save(file)
    return replace(item, image=file)
