"""FLUX's latent geometry: packing, positions, noise. Sizes are derived from the tensors, never written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from einops import rearrange
from torch import Tensor

from workers.addit.errors import UnsupportedSize

PATCH = 2
"""Side of the latent patch that one token stands for."""


@dataclass(frozen=True)
class LatentGrid:
    """The image tokens' grid: `height` rows of `width` tokens."""

    height: int
    width: int

    @classmethod
    def of_image(cls, height: int, width: int, vae_scale: int) -> LatentGrid:
        """The grid of a picture of `height` x `width` pixels. Raises `UnsupportedSize`."""
        side = vae_scale * PATCH
        if height < side or width < side or height % side or width % side:
            raise UnsupportedSize(f"{width}x{height} is not a multiple of {side} pixels on both sides")
        return cls(height // side, width // side)

    @property
    def tokens(self) -> int:
        """Number of image tokens."""
        return self.height * self.width


def pack(latents: Tensor) -> Tensor:
    """(B, C, 2h, 2w) autoencoder latents to (B, h*w, 4C) tokens."""
    return rearrange(latents, "b c (h p) (w q) -> b (h w) (c p q)", p=PATCH, q=PATCH)


def unpack(tokens: Tensor, grid: LatentGrid) -> Tensor:
    """(B, h*w, 4C) tokens to (B, C, 2h, 2w) autoencoder latents."""
    return rearrange(
        tokens, "b (h w) (c p q) -> b c (h p) (w q)", h=grid.height, w=grid.width, p=PATCH, q=PATCH
    )


def image_ids(grid: LatentGrid, device: torch.device, first: float = 0.0) -> Tensor:
    """(h*w, 3) RoPE positions: (`first`, row, column). Made where they are used: nothing is copied there."""
    rows, columns = torch.meshgrid(
        torch.arange(grid.height, device=device), torch.arange(grid.width, device=device), indexing="ij"
    )
    return torch.stack([torch.full_like(rows, first), rows, columns], dim=-1).reshape(-1, 3).float()


def draw_noise(seeds: Sequence[int], channels: int, grid: LatentGrid, element: int) -> Tensor:
    """(len(seeds), h*w, 4*channels) standard normal noise, float32.

    Drawn on the CPU, so a seed means the same picture on every device. Each seed's generator draws a pair as
    the
    reference does: element 0 serves a source branch, element 1 a target branch.
    """
    shape = (2, channels, PATCH * grid.height, PATCH * grid.width)
    draws = [torch.randn(shape, generator=torch.Generator().manual_seed(seed))[element] for seed in seeds]
    return pack(torch.stack(draws))


def add_noise(x0: Tensor, noise: Tensor, sigma: float) -> Tensor:
    """The rectified flow's point at noise level `sigma` between `x0` (0) and `noise` (1)."""
    return (1 - sigma) * x0 + sigma * noise
