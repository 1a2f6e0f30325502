"""Tokens through an `AutoencoderKL` that has one scale and one shift for all channels."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from workers.addit.latents import LatentGrid, pack, unpack


def encode_pixels(vae: Any, pixels: Tensor) -> Tensor:
    """See `Backbone.encode_pixels`."""
    latents = vae.encode(pixels.to(vae.dtype)).latent_dist.mode().float()
    return pack((latents - vae.config.shift_factor) * vae.config.scaling_factor)


def decode_tokens(vae: Any, tokens: Tensor, grid: LatentGrid) -> Tensor:
    """See `Backbone.decode_tokens`."""
    latents = unpack(tokens, grid) / vae.config.scaling_factor + vae.config.shift_factor
    pixels: Tensor = vae.decode(latents.to(vae.dtype)).sample.float()
    return pixels
