"""Pairs of pictures that differ by one thing alone: a sample, and the same drawn without its last thing."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from numpy.typing import NDArray
from rich.progress import track

from toyland.drawing import draw_things
from toyland.encoded import BATCH
from toyland.latents import encode, to_tensor
from toyland.sky import draw_fall
from toyland.world import Sample, World


@dataclass(frozen=True)
class EncodedPairs:
    """latents: (2, N, C, h, w) normalised, index 0 without and 1 with the subject; subjects: N names"""

    latents: NDArray[np.float16]
    subjects: tuple[str, ...]


def without_last(sample: Sample) -> NDArray[np.uint8]:
    """(H, W, 3): the sample's picture without the thing that came last, on which nothing else depends."""
    picture = draw_things(sample.backdrop, sample.poses[:-1], sample.sprites)
    draw_fall(picture, sample.backdrop.light, np.random.default_rng(sample.weather))
    return np.asarray(picture)


def encode_pairs(vae: AutoencoderKL, world: World, seed: int, count: int, folder: Path) -> EncodedPairs:
    """`count` pairs of the world's set, drawn and encoded once and kept in the folder."""
    names = folder / "subjects.json"
    if not names.exists():
        folder.mkdir(parents=True, exist_ok=True)
        subjects = _encode_all(vae, _samples(world, seed), count, folder / "pairs.npy")
        names.write_text(json.dumps(subjects), encoding="utf-8")  # last: it says that the latents are whole
    subjects = json.loads(names.read_text(encoding="utf-8"))
    return EncodedPairs(np.load(folder / "pairs.npy", mmap_mode="r"), tuple(subjects))


def _samples(world: World, seed: int) -> Iterator[Sample]:
    """All that show anything."""
    index = 0
    while True:
        sample = world.draw(seed, index)
        index += 1
        if sample.placed:
            yield sample


@torch.no_grad()
def _encode_all(vae: AutoencoderKL, samples: Iterator[Sample], count: int, file: Path) -> list[str]:
    latents, subjects = None, list[str]()
    for start in track(range(0, count, BATCH), "pairs"):
        chosen = list(islice(samples, min(BATCH, count - start)))
        sides = ([without_last(sample) for sample in chosen], [np.asarray(s.picture) for s in chosen])
        for side, pictures in enumerate(sides):
            tensor = to_tensor(torch.from_numpy(np.stack(pictures)))
            with torch.autocast("cpu", torch.bfloat16):  # twice as fast, as the training's own latents are
                encoded = encode(vae, tensor).half().numpy()
            if latents is None:
                latents = np.lib.format.open_memmap(file, "w+", np.float16, (2, count, *encoded.shape[1:]))
            latents[side, start : start + len(chosen)] = encoded
        subjects += [sample.objects[-1] for sample in chosen]
    assert latents is not None
    latents.flush()
    return subjects
