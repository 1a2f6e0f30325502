"""Rectified flow: noise levels, noisy latents, and running FLUX's transformer on token ids."""

from dataclasses import dataclass

import torch
from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel
from torch import Tensor, nn
from transformers import CLIPTextModel, T5EncoderModel

from toyland.latents import image_ids
from toyland.texts import Tokens

SHIFT = 2.0  # moves noise levels toward noise; sampling 256 tokens uses 1.65
FULL_SIDE = 16  # tokens along a side of a full-size picture


class FluxModules(nn.Module):
    """The three networks of a FluxPipeline that learn together."""

    def __init__(
        self, transformer: FluxTransformer2DModel, text_encoder: CLIPTextModel, text_encoder_2: T5EncoderModel
    ) -> None:
        super().__init__()
        self.transformer = transformer
        self.text_encoder = text_encoder
        self.text_encoder_2 = text_encoder_2

    def forward(self, noisy: Tensor, sigma: Tensor, guidance: Tensor, tokens: Tokens) -> Tensor:
        """Velocity (B, L, D) at noisy latents (B, L, D), noise levels (B,) and guidance scales (B,)."""
        prompt_embeds = self.text_encoder_2(tokens.t5).last_hidden_state
        side = int(noisy.shape[1] ** 0.5)
        with torch.autocast("cpu", torch.bfloat16):
            velocity: Tensor = self.transformer(
                hidden_states=noisy,
                timestep=sigma,
                guidance=guidance,
                pooled_projections=self.text_encoder(tokens.clip).pooler_output,
                encoder_hidden_states=prompt_embeds,
                txt_ids=torch.zeros(tokens.t5.shape[1], 3),
                img_ids=image_ids(side, side) * (FULL_SIDE // side),
                return_dict=False,
            )[0]
        return velocity.float()


def hidden_matrices(module: nn.Module) -> list[nn.Parameter]:
    """Weight matrices inside transformers' blocks, without embeddings and modulations: what Muon is for."""
    inside = ("blocks.", "block.", "layers.")
    return [
        parameter
        for name, parameter in module.named_parameters()
        if parameter.requires_grad
        and parameter.ndim == 2
        and any(part in name for part in inside)
        and not any(part in name for part in ("norm", "embed", "relative_attention_bias"))
    ]


@dataclass(frozen=True)
class NoisyBatch:
    """Clean latents (B, L, D) with noise of the same shape mixed in at levels sigma (B,)."""

    clean: Tensor
    noise: Tensor
    sigma: Tensor

    @property
    def noisy(self) -> Tensor:
        """(B, L, D): the latents on the straight way from clean to noise."""
        return torch.lerp(self.clean, self.noise, self.sigma[:, None, None])

    @property
    def velocity(self) -> Tensor:
        """(B, L, D): the direction of that way, what the transformer learns."""
        return self.noise - self.clean


def add_noise(clean: Tensor, generator: torch.Generator) -> NoisyBatch:
    """Noise packed latents (B, L, D) at logit-normal levels, shifted by SHIFT."""
    level = torch.sigmoid(torch.randn(len(clean), generator=generator))
    sigma = SHIFT * level / (1 + (SHIFT - 1) * level)
    return NoisyBatch(clean, torch.randn(clean.shape, generator=generator), sigma)
