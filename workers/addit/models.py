"""What an edit needs loaded, as one frozen value. Who loaded it, and from where, is not known here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from diffusers import FluxPipeline

from workers.addit.latents import PATCH
from workers.addit.localizers import Picture, Segmenter


class Captioner(Protocol):
    """Tells what a picture shows."""

    def __call__(self, picture: Picture) -> str:
        """(H, W, 3) uint8, of any size -> a sentence such as a prompt is made of."""


@dataclass(frozen=True)
class Models:
    """A resident FLUX pipeline with its helpers.

    recorded_layers: attention layers whose maps localise the subject best in this checkpoint
    text_len: T5 tokens a prompt is padded to
    source_memory_bytes: most that one edit may hold of its source's keys and values at a time
    captioner: says what an unnamed source shows
    """

    pipe: FluxPipeline
    segmenter: Segmenter | None
    recorded_layers: tuple[str, ...]
    text_len: int
    device: torch.device
    source_memory_bytes: int = 2 * 2**30
    captioner: Captioner | None = None

    @property
    def size_multiple(self) -> int:
        """Pixels: both sides of a picture must be multiples of it."""
        return int(self.pipe.vae_scale_factor) * PATCH
