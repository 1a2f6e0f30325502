"""SAM-2 as a `Segmenter`: the `sam2` package's image predictor, at whatever size its model works."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from hydra.utils import instantiate
from numpy.typing import NDArray
from omegaconf import OmegaConf
from safetensors.torch import load_file
from sam2.modeling.sam2_base import SAM2Base
from sam2.sam2_image_predictor import SAM2ImagePredictor
from torch import Tensor

from workers.addit.localizers import Picture, Segmentation, SegmenterPrompt
from workers.addit.masks import resize
from workers.models.errors import ModelFilesBroken
from workers.models.profiles import SegmenterPlace

MASK_LOGIT = 10.0
"""How sure a mask given as a prompt is, in logits."""


class Sam2Segmenter:
    """Masks from points, boxes or rough masks (Ravi et al., arXiv 2408.00714).

    The last picture stays embedded: several things may be looked for in it, one after the other.
    """

    def __init__(self, model: SAM2Base) -> None:
        self._predictor = SAM2ImagePredictor(model)
        # The predictor assumes a 1024-pixel model; strides 4, 8 and 16 are the architecture's.
        self._predictor._bb_feat_sizes = [(model.image_size // s, model.image_size // s) for s in (4, 8, 16)]
        self._prompt_size: tuple[int, int] = model.sam_prompt_encoder.mask_input_size
        self._embedded: Picture | None = None

    def __call__(self, picture: Picture, prompt: SegmenterPrompt) -> Segmentation:
        """The best of three candidates for a lone point, which is ambiguous; the single answer otherwise."""
        if picture is not self._embedded:
            self._embedded = None  # a picture that cannot be embedded leaves no half of it behind
            self._predictor.set_image(picture)
            self._embedded = picture
        masks, scores, _ = self._predictor.predict(
            point_coords=np.array(prompt.points, dtype=np.float32) if prompt.points else None,
            point_labels=np.ones(len(prompt.points), dtype=np.int32) if prompt.points else None,
            box=np.array(prompt.box, dtype=np.float32) if prompt.box else None,
            mask_input=None if prompt.mask is None else self._mask_logits(prompt.mask),
            multimask_output=len(prompt.points) == 1 and prompt.box is None and prompt.mask is None,
        )
        best = int(scores.argmax())
        return Segmentation(torch.from_numpy(masks[best] > 0), float(np.clip(scores[best], 0, 1)))

    def _mask_logits(self, mask: Tensor) -> NDArray[np.float32]:
        resized = resize(mask, *self._prompt_size)
        logits: NDArray[np.float32] = ((resized * 2 - 1) * MASK_LOGIT)[None].numpy()
        return logits


def load_segmenter(place: SegmenterPlace, device: torch.device) -> Sam2Segmenter:
    """Open SAM-2 from the hub (`facebook/sam2…`) or from a local checkpoint and its yaml. Raises
    `ModelFilesBroken`."""
    if not place.config:
        return Sam2Segmenter(SAM2ImagePredictor.from_pretrained(place.checkpoint, device=str(device)).model)
    model: SAM2Base = instantiate(OmegaConf.load(place.config).model, _recursive_=True)
    try:
        model.load_state_dict(_read_weights(Path(place.checkpoint)))
    except Exception as error:  # safetensors, torch and zip errors share no base class
        raise ModelFilesBroken(f"SAM-2 checkpoint {place.checkpoint} does not open: {error}") from error
    return Sam2Segmenter(model.float().eval().to(device))


def _read_weights(file: Path) -> dict[str, Tensor]:
    """Safetensors, or Meta's `.pt` files with the weights under "model"."""
    if file.suffix == ".safetensors":
        return dict(load_file(file))
    weights: dict[str, Tensor] = torch.load(file, map_location="cpu", weights_only=True)["model"]
    return weights
