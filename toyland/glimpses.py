"""What the service's segmenter really looks at: the transformer's guesses at a picture, half way to it."""

from pathlib import Path

import numpy as np
import torch
from diffusers.pipelines.flux.pipeline_flux import FluxPipeline
from numpy.typing import NDArray
from rich.progress import track
from torch import Tensor

from toyland.captions import plain_caption
from toyland.dataset import Dataset
from toyland.latents import decode, image_ids, pack, to_pictures, unpack

BATCH = 32
NOISIEST = 0.75  # sigma; blending looks at about 0.6


@torch.no_grad()
def glimpse_dataset(
    pipeline: FluxPipeline, dataset: Dataset, latents: NDArray[np.float16], count: int, file: Path
) -> NDArray[np.uint8]:
    """(count, H, W, 3): guesses at the first samples from noise levels 0..NOISIEST, kept in the file."""
    if not file.exists():
        generator = torch.Generator().manual_seed(0)
        batches = [
            _glimpse(
                pipeline,
                torch.from_numpy(latents[start : start + BATCH]).float(),
                [plain_caption(label.scene, label.names) for label in dataset.labels[start : start + BATCH]],
                generator,
            )
            for start in track(range(0, count, BATCH), "glimpsing")
        ]
        np.save(file, torch.cat(batches)[:count].numpy())
    glimpses: NDArray[np.uint8] = np.load(file, mmap_mode="r")
    return glimpses


def _glimpse(
    pipeline: FluxPipeline, latents: Tensor, captions: list[str], generator: torch.Generator
) -> Tensor:
    """Normalised latents (B, C, h, w) -> the guessed pictures (B, H, W, 3) uint8."""
    clean = pack(latents)
    sigma = NOISIEST * torch.rand(len(clean), 1, 1, generator=generator)
    noise = torch.randn(clean.shape, generator=generator)
    noisy = torch.lerp(clean, noise, sigma)
    with torch.autocast("cpu", torch.bfloat16):
        velocity = predict_velocity(pipeline, noisy, sigma.flatten(), captions, guidance_scale=3.5)
        return to_pictures(decode(pipeline.vae, unpack(noisy - sigma * velocity, latents.shape[-2] // 2)))


def predict_velocity(
    pipeline: FluxPipeline, tokens: Tensor, sigma: Tensor, captions: list[str], guidance_scale: float
) -> Tensor:
    """The transformer's output for noisy tokens (B, L, D) at noise levels sigma (B,)."""
    prompt_embeds, pooled_prompt_embeds, text_ids = pipeline.encode_prompt(
        captions, captions, max_sequence_length=pipeline.tokenizer_2.model_max_length
    )
    side = int(tokens.shape[1] ** 0.5)
    velocity: Tensor = pipeline.transformer(
        hidden_states=tokens,
        timestep=sigma,
        guidance=torch.full_like(sigma, guidance_scale),
        pooled_projections=pooled_prompt_embeds,
        encoder_hidden_states=prompt_embeds,
        txt_ids=text_ids,
        img_ids=image_ids(side, side),
        return_dict=False,
    )[0]
    return velocity.float()
