"""Another mask for an edit that was done: what is given in place of finding it, and what can be resumed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PIL import Image

from workers.addit.edits import Edit, PictureSource
from workers.addit.errors import UnsupportedOption
from workers.addit.masks import from_array
from workers.runner import Place, RunOutput

THRESHOLD = 128
"""A mask is white from here on."""


def with_mask(edit: Edit, mask: Image.Image | None) -> Edit:
    """The edit with the subject where the mask is white, at the size that is worked on; as it was without
    one. Raises `UnsupportedOption` for a mask that is black all over."""
    if mask is None:
        return edit
    source = edit.source
    size = source.picture.shape[1::-1] if isinstance(source, PictureSource) else (source.width, source.height)
    fitted = np.asarray(mask.convert("L").resize(size, Image.Resampling.BILINEAR)) >= THRESHOLD
    if not fitted.any():
        raise UnsupportedOption("the mask is empty: nothing of the subject would be kept")
    return replace(edit, mask=from_array(fitted))


def resumable(place: Place, edit: Edit) -> str:
    """The run to go on from. With several blends the later ones look at attention from before the first,
    which is not kept: only a given mask needs none of it."""
    return place.replays if len(edit.config.blend_steps) == 1 or edit.mask is not None else ""


def with_blend(output: RunOutput, resumed: bool) -> RunOutput:
    """The output with its cost telling whether the steps before the blend were paid again."""
    told = output.cost.model_copy(update={"blend": "replayed" if resumed else "recomputed"})
    return replace(output, cost=told)
