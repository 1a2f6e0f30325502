"""Edits that build upon an earlier one's latents, as in `scenes`, across jobs: what goes in and comes out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from api_schemas.jobs import ResultWarning
from workers.addit.edits import Edit, PictureSource
from workers.addit.latents import PATCH, LatentGrid
from workers.addit.models import Models
from workers.addit.results import Insertion
from workers.runner import Place, RunOutput


def continuing(edit: Edit, place: Place, models: Models) -> Edit:
    """The edit with its source as the latents that an earlier one made it as; as it was where they are not
    known, or are of another size than is worked at."""
    source, latents = edit.source, place.latents
    if not isinstance(source, PictureSource) or latents is None:
        return edit
    height, width = source.picture.shape[:2]
    tokens = LatentGrid.of_image(height, width, models.pipe.vae_scale_factor).tokens
    if latents.shape != (tokens, models.backbone.latent_channels * PATCH**2):
        return edit
    known = torch.from_numpy(latents.astype(np.float32))[None].to(models.device)
    return replace(edit, source=replace(source, latents=known))


def with_latents(output: RunOutput, done: Insertion) -> RunOutput:
    """The output with what each variation was made as, for the edits that build upon it.

    Rounded for all of them, so that a step is the same wherever the next one finds it.
    """
    rows = done.latents.cpu().to(torch.float16).numpy()
    images = tuple(replace(image, latents=row) for image, row in zip(output.images, rows, strict=True))
    return replace(output, images=images)


def told_of_encoding(output: RunOutput, edit: Edit, place: Place) -> RunOutput:
    """The output with a warning where the picture of an earlier edit had to be encoded again."""
    if not place.continues or (isinstance(edit.source, PictureSource) and edit.source.latents is not None):
        return output
    text = "the latents of the step before are not known: its picture was encoded again"
    warning = ResultWarning(code="encoded_anew", message=text)
    return replace(output, warnings=(*output.warnings, warning))
