"""A whole insertion by the plain schedule: every seed anew. Autoencoder, text encoders and localizers are the
engine's."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from bench.plain.attending import plain_processors
from bench.plain.schedule import PlainModel, edit, generated, inverted, noised
from workers.addit.codec import decode_picture, encode_picture
from workers.addit.edits import Edit, PictureSource, grid_of
from workers.addit.latents import LatentGrid, draw_noise
from workers.addit.localizers import Picture, given_to_each, locate
from workers.addit.models import Models
from workers.addit.stage_clock import StageClock


@dataclass(frozen=True)
class PlainInsertion:
    """latents: (B, L, C), clean, one row a seed; pictures: (H, W, 3) of each; seconds: by the engine's
    stages."""

    latents: Tensor
    pictures: tuple[Picture, ...]
    seconds: dict[str, float] = field(default_factory=dict)


@torch.inference_mode()
def insert_plainly(models: Models, wanted: Edit) -> PlainInsertion:
    """Of an edit of one subject, without a strict background."""
    clock = StageClock()
    rows = [_insert_seed(models, wanted, seed, clock) for seed in wanted.seeds]
    latents, pictures = zip(*rows, strict=True)
    return PlainInsertion(torch.cat(latents), pictures, clock.seconds)


def _insert_seed(models: Models, wanted: Edit, seed: int, clock: StageClock) -> tuple[Tensor, Picture]:
    config, grid = wanted.config, grid_of(models, wanted)
    with plain_processors(models.pipe.transformer):
        with clock("encode"):
            x0 = _clean(models, wanted)
            model = _told(models, wanted, grid)
        with clock("source"):
            noise = _noise(models, grid, wanted.source.seed, 0)
            if x0 is None:
                path = generated(model, noise)
            else:
                path = noised(model, x0, noise) if config.inversion == "noising" else inverted(model, x0)
        with clock("denoise"):

            def keep(maps: Tensor, guess: Tensor) -> Tensor:
                with clock("localize"):
                    return _keep(models, wanted, grid, maps, guess)

            done = edit(model, config, path, path[-1], _noise(models, grid, seed, 1), keep)
        with clock("decode"):
            picture = decode_picture(models, done.latents, grid)
            decode_picture(models, path[-1], grid)
    return done.latents, picture


def _clean(models: Models, wanted: Edit) -> Tensor | None:
    return encode_picture(models, wanted.source.picture) if isinstance(wanted.source, PictureSource) else None


def _told(models: Models, wanted: Edit, grid: LatentGrid) -> PlainModel:
    backbone, config = models.backbone, wanted.config
    prompts = wanted.source.prompt, wanted.prompt
    source, target = backbone.encode_prompts(prompts, (config.source_guidance_scale, config.guidance_scale))
    (subject,) = backbone.subject_tokens(*prompts, wanted.subjects)
    sigmas = backbone.sigmas(config.num_inference_steps, grid.tokens)
    recorded = frozenset(models.recorded_layers)
    return PlainModel(models.pipe.transformer, grid, sigmas, source, target, recorded, subject)


def _keep(models: Models, wanted: Edit, grid: LatentGrid, maps: Tensor, guess: Tensor) -> Tensor:
    if wanted.mask is not None:
        located = given_to_each(wanted.mask, maps, 1)
    else:
        search = models.search(wanted.subjects[0])
        located = locate(
            wanted.config.localizer, maps, lambda row: decode_picture(models, guess, grid), [search]
        )
    return located[0][0].weights(grid, 0.0).reshape(1, -1, 1).float().to(guess.device)


def _noise(models: Models, grid: LatentGrid, seed: int, element: int) -> Tensor:
    return draw_noise((seed,), models.backbone.latent_channels, grid, element).to(models.device)
