"""CLIPSeg (Lüddecke and Ecker, arXiv 2112.10003) as a `TextSegmenter`, through transformers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from transformers import CLIPSegForImageSegmentation, CLIPSegProcessor

from workers.addit.localizers import Picture
from workers.models.hub import open_resident


@dataclass(frozen=True)
class ClipSeg:
    """The checkpoint at `place` (hub name or directory), opened on first use and then kept on `device`."""

    place: str
    device: torch.device

    def __call__(self, picture: Picture, text: str) -> Tensor:
        """(h, w) probabilities at the model's own size, which the whole picture is squeezed into. Raises
        `UnsupportedOption` where it does not open."""
        processor, model = self._opened
        inputs = processor(images=[picture], text=[text], padding=True, truncation=True, return_tensors="pt")
        with torch.inference_mode():
            logits: Tensor = model(**inputs.to(self.device)).logits
        return logits.float().sigmoid().reshape(logits.shape[-2:]).cpu()

    @cached_property
    def _opened(self) -> tuple[Any, Any]:
        return open_resident(CLIPSegProcessor, CLIPSegForImageSegmentation, self.place, self.device)
