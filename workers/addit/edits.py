"""What an edit is: a source, words, and how; and what of it a source's memory depends on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from torch import Tensor

from workers.addit.config import AdditConfig
from workers.addit.latents import LatentGrid
from workers.addit.localizers import Picture
from workers.addit.models import Models
from workers.addit.placing import Placing
from workers.addit.source_memory import SourceKey


@dataclass(frozen=True)
class PictureSource:
    """A real source: (H, W, 3) pixels at a size the model works on, what it shows, and the seed of its
    noise.

    latents: (1, L, C), its clean tokens where an earlier edit made them: not encoded again
    draft: the same picture with the subject roughly in it, whose structure the target starts from instead
    """

    picture: Picture
    prompt: str
    seed: int = 0
    latents: Tensor | None = None
    draft: Picture | None = None


@dataclass(frozen=True)
class PromptSource:
    """A source the model makes first, `height` x `width` pixels."""

    prompt: str
    seed: int
    height: int
    width: int


@dataclass(frozen=True)
class Edit:
    """What is wanted: `subjects`, in the words of `prompt`, added to `source` together, once per seed.

    subjects: one or more, each an occurrence of its own; of a thing that the source's prompt names already
        the one that `prompt` names beside it
    owner: whose source it is; another owner's edits never find it remembered
    source_name: what its memory is forgotten by
    mask: (H, W) or of the latent grid, boolean: where the subjects are to be kept, in place of any localizer
    placing: where the subjects shall be found, in pixels of the source
    """

    source: PictureSource | PromptSource
    prompt: str
    subjects: tuple[str, ...]
    seeds: tuple[int, ...]
    config: AdditConfig
    owner: str = ""
    source_name: str = ""
    mask: Tensor | None = None
    placing: Placing | None = None


def grid_of(models: Models, edit: Edit) -> LatentGrid:
    """Of the latents of an edit's source."""
    source = edit.source
    if isinstance(source, PromptSource):
        return LatentGrid.of_image(source.height, source.width, models.pipe.vae_scale_factor)
    height, width = source.picture.shape[:2]
    return LatentGrid.of_image(height, width, models.pipe.vae_scale_factor)


def source_key(models: Models, edit: Edit) -> SourceKey:
    """What the passes of an edit's source depend on."""
    source, config, grid = edit.source, edit.config, grid_of(models, edit)
    real = isinstance(source, PictureSource)
    return SourceKey(
        owner=edit.owner,
        model=models.identity,
        picture=_digest(source) if isinstance(source, PictureSource) else "",
        prompt=source.prompt,
        seed=source.seed,
        path=config.inversion if real else "generated",
        guidance=config.source_guidance_scale,
        steps=config.num_inference_steps,
        size=(grid.height, grid.width),
    )


def _digest(source: PictureSource) -> str:
    """Of what the source's clean latents come from."""
    pixels = hashlib.sha256(source.picture.tobytes())
    if source.latents is not None:
        pixels.update(source.latents.cpu().numpy().tobytes())
    return pixels.hexdigest()
