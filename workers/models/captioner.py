"""What a picture shows, in a sentence: a transformers vision-language model by its hub name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor

from workers.addit.localizers import Picture
from workers.addit.models import Captioner
from workers.models.errors import ModelFilesBroken

TASK = "<CAPTION>"
"""What Florence-2 is asked for: one plain sentence."""
MOST_TOKENS = 64
BEAMS = 3  # as in the model's own examples


class HubCaptioner:
    """Florence-2 (Xiao et al., arXiv 2311.06242), or a model that answers the same task."""

    def __init__(self, processor: Any, model: Any) -> None:
        self._processor, self._model = processor, model

    @torch.no_grad()
    def __call__(self, picture: Picture) -> str:
        """See `workers.addit.models.Captioner`."""
        asked = self._processor(text=TASK, images=Image.fromarray(picture), return_tensors="pt")
        inputs = asked.to(self._model.device, self._model.dtype)
        tokens = self._model.generate(**inputs, max_new_tokens=MOST_TOKENS, num_beams=BEAMS, do_sample=False)
        caption: str = self._processor.batch_decode(tokens, skip_special_tokens=True)[0]
        return caption.strip()


def load_captioner(checkpoint: str, device: torch.device) -> HubCaptioner:
    """Open a hub name or a directory; bfloat16 on a GPU. Raises `ModelFilesBroken`."""
    dtype = torch.float32 if device.type == "cpu" else torch.bfloat16
    try:
        processor = AutoProcessor.from_pretrained(checkpoint)
        model = AutoModelForImageTextToText.from_pretrained(checkpoint, dtype=dtype)
    except Exception as error:  # of transformers, the hub, safetensors: no common class
        raise ModelFilesBroken(f"the captioner {checkpoint} does not open: {error}") from error
    return HubCaptioner(processor, model.eval().requires_grad_(False).to(device))


class OnFirstUse:
    """A captioner that is opened when it is first asked, and stays: most requests say what they show."""

    def __init__(self, opening: Callable[[], Captioner]) -> None:
        self._opening, self._opened = opening, list[Captioner]()

    def __call__(self, picture: Picture) -> str:
        """See `workers.addit.models.Captioner`. Raises what the opening raises; tries again next time."""
        if not self._opened:
            self._opened.append(self._opening())
        return self._opened[0](picture)
