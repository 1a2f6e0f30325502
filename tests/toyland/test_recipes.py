"""Each recipe's loss is finite and reaches what is trained, and nothing else."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from tests.toyland.tiny import tiny_encoded, tiny_flux_recipe, tiny_modules, tiny_texts
from toyland.train_guidance import GuidanceRecipe
from toyland.train_vae import (
    CROP,
    AutoencoderRecipe,
    DecoderRecipe,
    build_autoencoder,
    hidden_convolutions,
    normalise_latents,
)

pytestmark = pytest.mark.filterwarnings("ignore:Mismatch dtype between input and weight:UserWarning")

PICTURES: NDArray[np.uint8] = np.random.default_rng(0).integers(0, 256, (4, CROP, CROP, 3), dtype=np.uint8)


def touched(module: nn.Module) -> bool:
    """Whether any parameter got a gradient."""
    return any(parameter.grad is not None for parameter in module.parameters())


def test_autoencoder() -> None:
    vae = build_autoencoder()
    loss = AutoencoderRecipe(vae, (PICTURES, PICTURES), batch=1).loss(torch.Generator().manual_seed(0))
    loss.backward()  # type: ignore[no-untyped-call]
    assert torch.isfinite(loss)
    assert touched(vae.encoder)
    assert touched(vae.decoder)
    assert {parameter.ndim for parameter in hidden_convolutions(vae)} == {4}


def test_decoder_learns_and_encoder_stays() -> None:
    vae = build_autoencoder()
    recipe = DecoderRecipe(AutoencoderRecipe(vae, (PICTURES,), batch=1))
    recipe.loss(torch.Generator().manual_seed(0)).backward()  # type: ignore[no-untyped-call]
    assert touched(vae.decoder)
    assert not touched(vae.encoder)


def test_normalised_latents_have_mean_0_and_deviation_1() -> None:
    vae = build_autoencoder().eval()
    normalise_latents(vae, PICTURES)
    pictures = torch.from_numpy(PICTURES).permute(0, 3, 1, 2) / 127.5 - 1
    with torch.no_grad():
        latents = vae.encode(pictures).latent_dist.mode()
    normalised = (latents - vae.config["shift_factor"]) * vae.config["scaling_factor"]
    assert normalised.mean().item() == pytest.approx(0, abs=1e-2)
    assert normalised.std().item() == pytest.approx(1, abs=1e-2)


def test_guidance_leaves_its_teacher_alone() -> None:
    student = tiny_modules()
    recipe = GuidanceRecipe(student, copy.deepcopy(student), tiny_encoded(), tiny_texts(), batch=2)
    recipe.loss(torch.Generator().manual_seed(0)).backward()  # type: ignore[no-untyped-call]
    assert touched(student.transformer)
    assert not touched(recipe.teacher)


def test_what_is_overheard_teaches_the_blocks_before() -> None:
    recipe = replace(tiny_flux_recipe(), half_share=1.0)
    recipe.loss(torch.Generator().manual_seed(0)).backward()  # type: ignore[no-untyped-call]
    assert touched(recipe.reader)
    assert touched(recipe.modules.transformer)


def test_half_size_is_a_quarter_of_the_tokens() -> None:
    recipe = tiny_flux_recipe()
    seen = []
    recipe.modules.transformer.x_embedder.register_forward_hook(
        lambda module, args, out: seen.append(out.shape[1])
    )
    for half_share in (0.0, 1.0):
        replace(recipe, half_share=half_share).loss(torch.Generator().manual_seed(0))
    assert seen == [64, 16]
