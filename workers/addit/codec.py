"""Between what people see and what the transformer works on: prompts to embeddings, pictures to tokens and
back."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from workers.addit.errors import InvalidOutput
from workers.addit.forward import Conditioning
from workers.addit.latents import LatentGrid, pack, unpack
from workers.addit.localizers import Picture
from workers.addit.models import Models


def encode_prompts(
    models: Models, prompts: tuple[str, str], guidance: tuple[float, float]
) -> list[Conditioning]:
    """One `Conditioning` per prompt, both texts in one batch through CLIP (pooled) and T5 (sequence)."""
    embeds, pooled, _ = models.pipe.encode_prompt(
        list(prompts), list(prompts), device=models.device, max_sequence_length=models.text_len
    )
    return [Conditioning(embeds[i : i + 1], pooled[i : i + 1], scale) for i, scale in enumerate(guidance)]


def encode_picture(models: Models, picture: Picture) -> Tensor:
    """(1, L, C) float32 tokens of an (H, W, 3) picture: the mode of the autoencoder's posterior, scaled and
    shifted."""
    vae = models.pipe.vae
    pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].to(models.device)
    latents = vae.encode((pixels.float() / 127.5 - 1).to(vae.dtype)).latent_dist.mode().float()
    return pack((latents - vae.config.shift_factor) * vae.config.scaling_factor)


def decode_picture(models: Models, tokens: Tensor, grid: LatentGrid) -> Picture:
    """The (H, W, 3) picture of (1, L, C) tokens. Raises `InvalidOutput` where it is not finite."""
    vae = models.pipe.vae
    latents = unpack(tokens, grid) / vae.config.scaling_factor + vae.config.shift_factor
    pixels = vae.decode(latents.to(vae.dtype)).sample[0].float()
    if not bool(torch.isfinite(pixels).all()):
        raise InvalidOutput("the decoded picture is not finite")
    shown: Picture = (pixels.clamp(-1, 1) * 127.5 + 127.5).round().byte().permute(1, 2, 0).cpu().numpy()
    return shown
