"""Without an exchange, a family's own pipeline and a loop over its backbone make the same latents: prompts,
noise levels, positions, guidance and normalisation agree."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.workers.addit.backbones.families import FAMILIES, GRID, PROMPTS, leave_alone, noise
from workers.addit.backbones.backbone import Backbone
from workers.addit.backbones.flux2 import token_statistics
from workers.addit.latents import pack, unpack

STEPS, GUIDANCE, PROMPT = 3, 3.5, PROMPTS[1]
SIZE = {"height": 16 * GRID.height, "width": 16 * GRID.width}


def loop(backbone: Backbone, latents: Tensor, context: Tensor | None = None) -> Tensor:
    """Euler's method over the backbone, as the pipelines have it."""
    (cond,) = backbone.encode_prompts([PROMPT], [GUIDANCE])
    cond = cond if context is None else backbone.shown(cond, context)
    sigmas = backbone.sigmas(STEPS, GRID.tokens)
    with backbone.exchange_processors():
        for sigma, after in zip(sigmas[:-1], sigmas[1:], strict=True):
            latents = latents + (after - sigma) * backbone.velocity(latents, sigma, cond, GRID, leave_alone)
    return latents


def run(backbone: Any, latents: Tensor, **more: Any) -> Tensor:
    """The pipeline itself."""
    made: Tensor = backbone.pipe(
        prompt=PROMPT,
        latents=latents,
        num_inference_steps=STEPS,
        guidance_scale=GUIDANCE,
        max_sequence_length=backbone.text_len,
        output_type="latent",
        **SIZE | more,
    ).images
    return made


def packed(backbone: Any, latents: Tensor) -> Tensor:
    return run(backbone, latents)


def unpacked(backbone: Any, latents: Tensor) -> Tensor:
    return pack(run(backbone, unpack(latents, GRID)))


def normalised(backbone: Any, latents: Tensor) -> Tensor:
    """FLUX.2's pipeline takes tokens as a picture and gives them back with the autoencoder's statistics."""
    channels = latents.shape[-1]
    made = run(backbone, latents.mT.reshape(-1, channels, GRID.height, GRID.width))
    mean, deviation = token_statistics(backbone.pipe.vae)
    return (pack(made) - mean) / deviation


PIPELINES: dict[str, Callable[[Any, Tensor], Tensor]] = {
    "flux": packed,
    "schnell": packed,
    "klein": normalised,
    "klein-base": normalised,
    "sd3": unpacked,
}


@pytest.mark.parametrize("family", PIPELINES)
@torch.no_grad()
def test_the_loop_is_the_pipelines(family: str) -> None:
    backbone = FAMILIES[family]()
    latents = noise(backbone, 5)
    expected = PIPELINES[family](backbone, latents)
    torch.testing.assert_close(loop(backbone, latents), expected, atol=1e-4, rtol=0)


@torch.no_grad()
def test_kontext_sees_its_picture_as_its_pipeline_does() -> None:
    backbone: Any = FAMILIES["kontext"]()
    latents, shown = noise(backbone, 5), noise(backbone, 6)
    area = SIZE["height"] * SIZE["width"]
    expected = run(backbone, latents, image=unpack(shown, GRID), max_area=area)
    torch.testing.assert_close(loop(backbone, latents, shown), expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize("family", FAMILIES)
@torch.no_grad()
def test_guidance_counts(family: str) -> None:
    backbone = FAMILIES[family]()
    plain, guided = backbone.encode_prompts([PROMPT, PROMPT], [1.0, GUIDANCE])
    assert backbone.passes(plain) == 1
    assert backbone.passes(guided) == (2 if family in ("sd3", "klein-base") else 1)
    with backbone.exchange_processors():
        one, other = (
            backbone.velocity(noise(backbone), 0.5, cond, GRID, leave_alone) for cond in (plain, guided)
        )
    assert torch.equal(one, other) == (family in ("schnell", "klein"))
