"""Held-out samples, and what the models make of their pictures without changing what they show."""

import numpy as np
import torch

from toyland.score.drawings import STEPS, denoise_from
from toyland.score.instruments import Instruments
from toyland.score.tasks import SCORE_SEED
from toyland.world import Sample
from workers.addit.codec import decode_picture, encode_picture
from workers.addit.latents import LatentGrid, add_noise, draw_noise
from workers.addit.localizers import Picture

CHUNK = 4  # samples of one job: short ones, so that a deadline is met
FIRST_SAMPLE = 200_000  # sample numbers from here on
FIRST_EMPTY = 300_000
AGAIN_FROM = 18  # step of 30 from which a noised picture is drawn again, its coarse shapes kept


def samples_of(instruments: Instruments, chunk: int, count: int = CHUNK) -> list[Sample]:
    """Samples as the world draws them, any number of things in each."""
    first = FIRST_SAMPLE + chunk * count
    return [instruments.world.draw(SCORE_SEED, first + index, pairs="any") for index in range(count)]


def empties_of(instruments: Instruments, chunk: int) -> list[Sample]:
    """Empty scenes."""
    first = FIRST_EMPTY + chunk * CHUNK
    return [instruments.world.draw(SCORE_SEED, first + index, count=0) for index in range(CHUNK)]


def decoded(instruments: Instruments, picture: Picture) -> Picture:
    """The picture through the autoencoder."""
    models = instruments.models
    with torch.inference_mode():
        return decode_picture(models, encode_picture(models, picture), _grid(instruments, picture))


def drawn_again(instruments: Instruments, sample: Sample) -> Picture:
    """The sample's picture, noised to the level of `AGAIN_FROM` and drawn on from there by the model."""
    models, picture = instruments.models, np.asarray(sample.picture)
    grid = _grid(instruments, picture)
    sigma = models.backbone.sigmas(STEPS, grid.tokens)[AGAIN_FROM]
    with torch.inference_mode():
        noise = draw_noise((0,), models.backbone.latent_channels, grid, element=0)
        noisy = add_noise(encode_picture(models, picture), noise, sigma)
        clean = denoise_from(models, noisy, sample.caption, grid, STEPS, AGAIN_FROM)
        return decode_picture(models, clean, grid)


def disguises(instruments: Instruments, sample: Sample) -> dict[str, Picture]:
    """A sample's picture, and what the models make of it without changing what it shows."""
    picture = np.asarray(sample.picture)
    return {
        "": picture,
        "decoded.": decoded(instruments, picture),
        "drawn_again.": drawn_again(instruments, sample),
    }


def _grid(instruments: Instruments, picture: Picture) -> LatentGrid:
    height, width = picture.shape[:2]
    return LatentGrid.of_image(height, width, instruments.models.pipe.vae_scale_factor)
