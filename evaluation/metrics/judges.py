"""Who judges: a CLIP and a detector. Toyland has its own; for real pictures they are opened by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import normalize
from transformers import AutoModelForZeroShotObjectDetection, AutoProcessor, CLIPModel

from toyland.score.clip_metrics import Embedder
from toyland.score.versions import digest_folder
from toyland.workshop import SHIPPED
from workers.addit.boxes import Detection
from workers.addit.localizers import Detector, Picture
from workers.models.grounding import LEAST_SCORE, GroundingDino
from workers.models.hub import open_resident
from workers.models.toyland.clip import load_clip
from workers.models.toyland.finder import Finder

CLIP = "openai/clip-vit-large-patch14"
"""The paper does not say which; OpenAI's largest at 224 pixels."""
DETECTOR = "IDEA-Research/grounding-dino-base"
OWL = "owl"
"""In a detector's name: OWLv2 (arXiv 2306.09683), which takes its words as a list."""


@dataclass(frozen=True)
class Judges:
    """name: tells them apart in records; clip: None where no weights are at hand: its figures are left out"""

    name: str
    clip: Embedder | None
    detector: Detector


@dataclass(frozen=True)
class HubClip:
    """The CLIP at `place` (hub name or directory), opened on first use. Raises `UnsupportedOption`."""

    place: str
    device: torch.device

    @torch.inference_mode()
    def embed_pictures(self, pictures: Sequence[Picture]) -> Tensor:
        """See `Embedder`."""
        processor, model = self._opened
        shown = [Image.fromarray(picture) for picture in pictures]
        inputs = processor(images=shown, return_tensors="pt").to(self.device)
        return normalize(model.get_image_features(**inputs).pooler_output.float(), dim=1)

    @torch.inference_mode()
    def embed_texts(self, texts: Sequence[str]) -> Tensor:
        """See `Embedder`."""
        processor, model = self._opened
        inputs = processor(text=list(texts), return_tensors="pt", padding=True, truncation=True)
        return normalize(model.get_text_features(**inputs.to(self.device)).pooler_output.float(), dim=1)

    @cached_property
    def _opened(self) -> tuple[Any, Any]:
        return open_resident(AutoProcessor, CLIPModel, self.place, self.device)


@dataclass(frozen=True)
class Owl:
    """OWLv2 at `place`, as a `Detector`."""

    place: str
    device: torch.device

    def __call__(self, picture: Picture, text: str) -> list[Detection]:
        """Boxes of what the text names, the surest first."""
        processor, model = self._opened
        inputs = processor(images=picture, text=[[f"a photo of a {text}"]], return_tensors="pt")
        with torch.inference_mode():
            outputs = model(**inputs.to(self.device))
        (found,) = processor.post_process_grounded_object_detection(
            outputs, threshold=LEAST_SCORE, target_sizes=[picture.shape[:2]]
        )
        detections = map(Detection, map(tuple, found["boxes"].tolist()), found["scores"].tolist())
        return sorted(detections, key=lambda one: -one.score)

    @cached_property
    def _opened(self) -> tuple[Any, Any]:
        return open_resident(AutoProcessor, AutoModelForZeroShotObjectDetection, self.place, self.device)


def toyland_judges(shipped: Path = SHIPPED) -> Judges:
    """Those of the world: they know its objects and its words."""
    digests = (digest_folder(shipped / part) for part in ("clip", "detector"))
    return Judges(f"toyland {' '.join(digests)}", load_clip(shipped / "clip"), Finder(shipped / "detector"))


def hub_judges(clip: str, detector: str, device: torch.device) -> Judges:
    """By name or directory; an empty `clip` leaves its figures out."""
    finding = Owl(detector, device) if OWL in detector.lower() else GroundingDino(detector, device)
    return Judges(f"{clip} {detector}", HubClip(clip, device) if clip else None, finding)
