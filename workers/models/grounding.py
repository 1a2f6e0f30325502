"""Grounding DINO (Liu et al., arXiv 2303.05499) as a `Detector`, through transformers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from transformers import AutoModelForZeroShotObjectDetection, AutoProcessor

from workers.addit.boxes import Detection
from workers.addit.localizers import Picture
from workers.models.hub import open_resident

LEAST_SCORE = 0.25
"""Of a box and of its words: below, nothing was detected (the authors' own threshold)."""


@dataclass(frozen=True)
class GroundingDino:
    """The checkpoint at `place` (hub name or directory), opened on first use and then kept on `device`."""

    place: str
    device: torch.device

    def __call__(self, picture: Picture, text: str) -> list[Detection]:
        """Boxes of what the text names, the surest first. Raises `UnsupportedOption` where it does not
        open."""
        processor, model = self._opened
        inputs = processor(images=picture, text=sentence(text), return_tensors="pt").to(self.device)
        with torch.inference_mode():
            outputs = model(**inputs)
        (found,) = processor.post_process_grounded_object_detection(
            outputs, threshold=LEAST_SCORE, text_threshold=LEAST_SCORE, target_sizes=[picture.shape[:2]]
        )
        left_top_right_bottom, scores = found["boxes"].tolist(), found["scores"].tolist()
        detections = map(Detection, map(tuple, left_top_right_bottom), scores)
        return sorted(detections, key=lambda one: -one.score)

    @cached_property
    def _opened(self) -> tuple[Any, Any]:
        return open_resident(AutoProcessor, AutoModelForZeroShotObjectDetection, self.place, self.device)


def sentence(text: str) -> str:
    """The words as the model was trained on them: in lower case, closed by a full stop."""
    return f"{text.strip().lower().rstrip('.')}."
