"""What a picture shows, in a sentence: Florence-2 (Xiao et al., arXiv 2311.06242) as a `Captioner`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor

from workers.addit.localizers import Picture
from workers.models.hub import open_resident

TASK = "<CAPTION>"
"""One plain sentence, as prompts are."""
MOST_TOKENS = 64
BEAMS = 3  # as in the authors' own examples


@dataclass(frozen=True)
class Florence2:
    """The checkpoint at `place` (hub name or directory), opened on first use and then kept on `device`."""

    place: str
    device: torch.device

    def __call__(self, picture: Picture) -> str:
        """See `workers.addit.models.Captioner`."""
        processor, model = self._opened
        inputs = processor(text=TASK, images=Image.fromarray(picture), return_tensors="pt")
        with torch.inference_mode():
            tokens = model.generate(
                **inputs.to(self.device), max_new_tokens=MOST_TOKENS, num_beams=BEAMS, do_sample=False
            )
        caption: str = processor.batch_decode(tokens, skip_special_tokens=True)[0]
        return caption.strip()

    @cached_property
    def _opened(self) -> tuple[Any, Any]:
        return open_resident(AutoProcessor, AutoModelForImageTextToText, self.place, self.device)
