"""Small models that are opened while a worker already serves, when a request first needs them."""

from __future__ import annotations

from typing import Any

import torch

from workers.addit.errors import UnsupportedOption


def open_resident(processors: Any, models: Any, place: str, device: torch.device) -> tuple[Any, Any]:
    """The processor and the model, float32, at `place`: a hub name or a directory.

    Raises `UnsupportedOption`: a worker without the files still serves every other request.
    """
    try:
        with torch.inference_mode(False):  # an edit runs in inference mode, what it opens outlives it
            processor = processors.from_pretrained(place)
            model = models.from_pretrained(place, dtype=torch.float32)
    except (OSError, ValueError) as error:
        raise UnsupportedOption(f"{place} is not at hand on this worker") from error
    return processor, model.to(device).eval().requires_grad_(False)
