"""What an edit needs loaded, as one frozen value. Who loaded it, and from where, is not known here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import torch

from workers.addit.backbones.backbone import Backbone
from workers.addit.latents import PATCH
from workers.addit.localizers import Detector, Picture, Search, Segmenter, TextSegmenter
from workers.addit.memory_tiers import DeviceTier
from workers.addit.shared_passes import Pays, share_nothing
from workers.addit.source_memory import SourceMemories


class Captioner(Protocol):
    """Tells what a picture shows."""

    def __call__(self, picture: Picture) -> str:
        """(H, W, 3) uint8, of any size -> a sentence such as a prompt is made of. Raises `UnsupportedOption`
        where its weights are not at hand."""


@dataclass(frozen=True)
class Models:
    """A resident diffusers pipeline with its helpers.

    backbone: speaks for the pipeline's family
    recorded_layers: attention layers whose maps localise the subject best in this checkpoint
    text_len: T5 tokens a prompt is padded to
    source_memory_bytes: most that one edit may hold of its source's keys and values at a time
    identity: names the weights: sources remembered with others are not found
    detector, text_segmenter: helpers of the localizers that read the subject's words; opened on first use
    captioner: says what an unnamed source shows; opened on first use
    pays: which passes this device makes faster as one
    """

    pipe: Any
    backbone: Backbone
    segmenter: Segmenter | None
    recorded_layers: tuple[str, ...]
    text_len: int
    device: torch.device
    source_memory_bytes: int = 2 * 2**30
    identity: str = ""
    detector: Detector | None = None
    text_segmenter: TextSegmenter | None = None
    captioner: Captioner | None = None
    pays: Pays = share_nothing

    @property
    def size_multiple(self) -> int:
        """Pixels: both sides of a picture must be multiples of it."""
        return int(self.pipe.vae_scale_factor) * PATCH

    def search(self, subject: str) -> Search:
        """How these models look for a subject."""
        return Search(subject, self.segmenter, self.detector, self.text_segmenter)

    def new_memories(self) -> SourceMemories:
        """Nothing known of any source yet, and room on the device for what one edit may hold."""
        return SourceMemories([DeviceTier(self.source_memory_bytes)], self.device)
