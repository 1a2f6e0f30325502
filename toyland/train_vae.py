"""Recipe of the autoencoder: factor 8 and 16 channels, as FLUX's, for pictures of the world and of anything.

Two habits make its latents easy to learn for the transformer: the posterior is kept near a normal
distribution (a small KL), and halved latents decode to halved pictures, so that what the transformer learns
at half size, where a step costs a quarter, holds at full size (EQ-VAE, arXiv 2502.09509).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from toyland.latents import decode, encode, to_tensor

GRADIENT_WEIGHT = 0.5
SQUARE_WEIGHT = 4.0  # squared errors are small beside absolute ones: their weight brings them level
KL_WEIGHT = 1e-3
HALF_WEIGHT = 0.25
WHOLE_SHARE = 0.3  # of steps see whole pictures: the norms' statistics at run time are theirs
CROP = 128  # pixels; the other steps see crops, four times as many


@dataclass(frozen=True)
class AutoencoderRecipe:
    """Reconstruction of pictures drawn evenly from several sets, each (N, H, W, 3) uint8."""

    vae: AutoencoderKL
    sets: Sequence[NDArray[np.uint8]]
    batch: int = 4  # whole pictures, or four times as many crops

    @property
    def trained(self) -> nn.Module:
        """Encoder and decoder."""
        vae: nn.Module = self.vae
        return vae

    def loss(self, generator: torch.Generator) -> Tensor:
        """Reconstruction at both sizes and the KL of one batch."""
        pictures = self._draw(generator)
        with torch.autocast("cpu", torch.bfloat16):
            posterior = self.vae.encode(pictures).latent_dist
            noise = torch.randn(posterior.mean.shape, generator=generator)
            latents = posterior.mean + posterior.std * noise
            whole = self.vae.decode(latents).sample
            half = self.vae.decode(F.avg_pool2d(latents, 2)).sample
        mean, variance = posterior.mean.float(), posterior.logvar.float()
        divergence = 0.5 * (mean.square() + variance.exp() - 1 - variance).mean()
        halved = HALF_WEIGHT * picture_loss(half.float(), F.avg_pool2d(pictures, 2))
        loss: Tensor = picture_loss(whole.float(), pictures) + halved + KL_WEIGHT * divergence
        return loss

    def _draw(self, generator: torch.Generator) -> Tensor:
        """(B, 3, S, S) in -1..1, whole pictures or crops, channels last."""
        whole = torch.rand((), generator=generator) < WHOLE_SHARE
        count = self.batch if whole else 4 * self.batch
        drawn = []
        for _ in range(count):
            pictures = self.sets[int(torch.randint(len(self.sets), (), generator=generator))]
            picture = pictures[int(torch.randint(len(pictures), (), generator=generator))]
            drawn.append(picture if whole else _crop(picture, generator))
        batch = to_tensor(torch.from_numpy(np.stack(drawn)))
        return batch.contiguous(memory_format=torch.channels_last)


@dataclass(frozen=True)
class DecoderRecipe:
    """A sharper decoder for latents that stay as they are, and with them all the transformer has learned."""

    autoencoder: AutoencoderRecipe

    @property
    def trained(self) -> nn.Module:
        """The decoder alone."""
        decoder: nn.Module = self.autoencoder.vae.decoder
        return decoder

    def loss(self, generator: torch.Generator) -> Tensor:
        """Reconstruction of one batch from the latents' modes."""
        vae, pictures = self.autoencoder.vae, self.autoencoder._draw(generator)
        with torch.autocast("cpu", torch.bfloat16):
            with torch.no_grad():
                latents = encode(vae, pictures)
            restored = decode(vae, latents)
        return picture_loss(restored, pictures)


def picture_loss(pictures: Tensor, wanted: Tensor) -> Tensor:
    """L1 and L2 of (B, 3, H, W) pictures plus L1 of their horizontal and vertical differences."""
    error = pictures - wanted
    across, down = (error.diff(dim=axis).abs().mean() for axis in (2, 3))
    return error.abs().mean() + SQUARE_WEIGHT * error.square().mean() + GRADIENT_WEIGHT * (across + down)


def hidden_convolutions(vae: AutoencoderKL) -> list[nn.Parameter]:
    """Weights of all convolutions but those to and from pictures and latents."""
    outer = ("encoder.conv_in", "encoder.conv_out", "decoder.conv_in", "decoder.conv_out")
    return [
        parameter
        for name, parameter in vae.named_parameters()
        if parameter.ndim == 4 and not name.startswith(outer)
    ]


def build_autoencoder() -> AutoencoderKL:
    """Random weights in FLUX's geometry; slender, to decode 256 pixels in a tenth of a second on CPUs."""
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(16, 32, 64, 128),
        layers_per_block=1,
        latent_channels=16,
        norm_num_groups=8,
        sample_size=256,
        scaling_factor=1.0,  # until `normalise_latents`
        shift_factor=0.0,
        use_quant_conv=False,
        use_post_quant_conv=False,
        mid_block_add_attention=False,
    )


@torch.no_grad()
def normalise_latents(vae: AutoencoderKL, pictures: NDArray[np.uint8], batch: int = 16) -> None:
    """Set the configuration's shift and scale so that these pictures' latents have mean 0 and deviation 1."""
    means = []
    for start in range(0, len(pictures), batch):
        tensor = to_tensor(torch.from_numpy(np.array(pictures[start : start + batch])))
        means.append(vae.encode(tensor).latent_dist.mode())
    latents = torch.cat(means)
    vae.register_to_config(
        shift_factor=round(float(latents.mean()), 4), scaling_factor=round(1 / float(latents.std()), 4)
    )


def _crop(picture: NDArray[np.uint8], generator: torch.Generator) -> NDArray[np.uint8]:
    """A random CROP x CROP part of an (H, W, 3) picture."""
    top, left = (int(torch.randint(side - CROP + 1, (), generator=generator)) for side in picture.shape[:2])
    return picture[top : top + CROP, left : left + CROP]
