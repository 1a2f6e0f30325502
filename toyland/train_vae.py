"""Recipe of the autoencoder's decoder: sharper pictures from the same latents.

The encoder stays as it is, and with it everything the transformer has learned. Whole pictures, never crops:
the decoder's group norms see the whole picture at run time, so they must while it learns.
"""

from dataclasses import dataclass

import numpy as np
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from numpy.typing import NDArray
from torch import Tensor, nn

from toyland.latents import decode, to_tensor

GRADIENT_WEIGHT = 1.0


@dataclass(frozen=True)
class DecoderRecipe:
    """L1 on colours and on differences of neighbours, from stored latents.

    pictures: (N, H, W, 3) uint8; latents: (N, C, h, w) normalised
    """

    vae: AutoencoderKL
    pictures: NDArray[np.uint8]
    latents: NDArray[np.float16]
    batch: int = 8

    @property
    def trained(self) -> nn.Module:
        """The decoder alone."""
        decoder: nn.Module = self.vae.decoder
        return decoder

    def loss(self, generator: torch.Generator) -> Tensor:
        """Reconstruction loss of one batch."""
        indices = torch.randint(len(self.latents), (self.batch,), generator=generator).numpy()
        latents = torch.from_numpy(self.latents[indices]).float()
        with torch.autocast("cpu", torch.bfloat16):
            pictures = decode(self.vae, latents.contiguous(memory_format=torch.channels_last))
        return sharp_loss(pictures, to_tensor(torch.from_numpy(self.pictures[indices])))


def sharp_loss(pictures: Tensor, wanted: Tensor) -> Tensor:
    """L1 of (B, 3, H, W) pictures plus L1 of their horizontal and vertical differences."""
    colours = (pictures - wanted).abs().mean()
    across, down = ((pictures.diff(dim=axis) - wanted.diff(dim=axis)).abs().mean() for axis in (2, 3))
    return colours + GRADIENT_WEIGHT * (across + down)
