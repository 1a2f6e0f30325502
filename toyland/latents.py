"""FLUX's view of a picture: autoencoder latents, packed two by two into tokens with their grid positions."""

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from torch import Tensor


def to_tensor(pictures: Tensor) -> Tensor:
    """(B, H, W, 3) uint8 -> (B, 3, H, W) float in -1..1."""
    return pictures.permute(0, 3, 1, 2).float().div(127.5).sub(1)


def to_pictures(tensor: Tensor) -> Tensor:
    """(B, 3, H, W) float in -1..1 -> (B, H, W, 3) uint8."""
    return tensor.permute(0, 2, 3, 1).clamp(-1, 1).add(1).mul(127.5).round().byte()


def encode(vae: AutoencoderKL, pictures: Tensor) -> Tensor:
    """(B, 3, H, W) in -1..1 -> normalised latents (B, C, h, w): the posterior's mode."""
    latents: Tensor = vae.encode(pictures).latent_dist.mode()
    normalised: Tensor = (latents.float() - vae.config["shift_factor"]) * vae.config["scaling_factor"]
    return normalised


def decode(vae: AutoencoderKL, latents: Tensor) -> Tensor:
    """Normalised latents (B, C, h, w) -> (B, 3, H, W), about -1..1."""
    pictures: Tensor = vae.decode(latents / vae.config["scaling_factor"] + vae.config["shift_factor"]).sample
    return pictures.float()


def pack(latents: Tensor) -> Tensor:
    """(B, C, 2h, 2w) -> tokens (B, h*w, 4C), in FluxPipeline's order: channel, row, column within a token."""
    batch, channels, height, width = latents.shape
    tiles = latents.reshape(batch, channels, height // 2, 2, width // 2, 2)  # b c h p w q
    return tiles.permute(0, 2, 4, 1, 3, 5).reshape(batch, height * width // 4, channels * 4)


def unpack(tokens: Tensor, height: int) -> Tensor:
    """Tokens (B, h*w, 4C) -> (B, C, 2h, 2w), where `height` is h."""
    batch, count, features = tokens.shape
    tiles = tokens.reshape(batch, height, count // height, features // 4, 2, 2)  # b h w c p q
    return tiles.permute(0, 3, 1, 4, 2, 5).reshape(batch, features // 4, 2 * height, -1)


def image_ids(height: int, width: int) -> Tensor:
    """(h*w, 3): the row and column of every token, as FLUX's rotary embedding wants them."""
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return torch.stack([torch.zeros_like(rows), rows, columns], -1).reshape(-1, 3).float()
