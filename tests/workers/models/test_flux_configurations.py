"""FLUX.1-dev and -schnell at their full published size, on the meta device: shapes without weights."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch
from diffusers import AutoencoderKL, FlowMatchEulerDiscreteScheduler, FluxTransformer2DModel
from transformers import CLIPTextConfig, CLIPTextModel, T5Config, T5EncoderModel

from workers.addit.backbones.conditioning import Conditioning
from workers.addit.backbones.flux import FluxBackbone
from workers.addit.extension import extension_plan
from workers.addit.forward import Branches, ExtendTarget
from workers.addit.latents import LatentGrid, pack, unpack
from workers.addit.processor import attention_layers
from workers.addit.schedule import make_sigmas
from workers.models.profiles import HUB_PROFILES

PUBLISHED: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "data" / "flux" / "published.json").read_text()
)
META = torch.device("meta")


@pytest.fixture(scope="module", params=PUBLISHED)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def transformer(name: str) -> FluxTransformer2DModel:
    with META:
        return FluxTransformer2DModel.from_config(PUBLISHED[name]["transformer"]).bfloat16().eval()


def flux(transformer: FluxTransformer2DModel) -> FluxBackbone:
    """The family's backbone; nothing but the transformer is asked for."""
    return FluxBackbone(cast(Any, SimpleNamespace(transformer=transformer)), 512, META)


def test_it_has_12_billion_parameters(transformer: FluxTransformer2DModel) -> None:
    assert sum(p.numel() for p in transformer.parameters()) == pytest.approx(11.9e9, rel=0.01)


@pytest.mark.parametrize(("height", "width"), [(1024, 1024), (768, 1360)])
@torch.inference_mode()
def test_an_extended_step_has_the_right_shapes(
    name: str, transformer: FluxTransformer2DModel, height: int, width: int
) -> None:
    profile, grid = HUB_PROFILES[name], LatentGrid.of_image(height, width, vae_scale=8)
    config = profile.presets["paper-real"]
    backbone = flux(transformer)
    plan = extension_plan(backbone, config)
    step = config.structure_transfer_step
    prompt = torch.empty(1, profile.text_len, 4096, device=META), torch.empty(1, 768, device=META)
    cond = Conditioning(*prompt, guidance=3.5)
    branches = Branches(backbone, grid)
    with backbone.exchange_processors():
        latents = torch.empty(1, grid.tokens, 64, device=META)
        lent = branches.source(latents, 0.9, cond, plan(step), velocity=True)
        exchange = ExtendTarget(step, lent, plan(step), 1.05)
        velocity = branches.target(latents.expand(4, -1, -1), 0.9, cond, exchange)
    assert velocity.shape == (4, grid.tokens, 64)
    assert lent.lent.keys() == set(attention_layers(transformer))
    assert {key.shape for key, _ in lent.lent.values()} == {(1, grid.tokens, 24, 128)}


def test_one_step_of_source_memory_at_1024_takes_2_9_gigabytes(transformer: FluxTransformer2DModel) -> None:
    grid = LatentGrid(64, 64)
    backbone = flux(transformer)
    plan = extension_plan(backbone, HUB_PROFILES["flux-dev"].presets["paper-real"])
    cond = Conditioning(torch.empty(1, 512, 4096, device=META), torch.empty(1, 768, device=META), 1.0)
    with torch.inference_mode(), backbone.exchange_processors():
        latents = torch.empty(1, grid.tokens, 64, device=META)
        memory = Branches(backbone, grid).source(latents, 0.9, cond, plan(4), velocity=False)
    assert memory.nbytes == 57 * 2 * grid.tokens * 3072 * 2
    assert memory.nbytes == pytest.approx(2.87e9, rel=0.01)


def test_recorded_layers_exist(name: str, transformer: FluxTransformer2DModel) -> None:
    assert set(HUB_PROFILES[name].recorded_layers or ()) <= set(attention_layers(transformer))


@torch.inference_mode()
def test_the_autoencoder_and_the_packing_fit_together(name: str) -> None:
    with META:
        vae = AutoencoderKL.from_config(PUBLISHED[name]["vae"]).eval()
    grid = LatentGrid.of_image(512, 768, vae_scale=2 ** (len(vae.config.block_out_channels) - 1))
    latents = vae.encode(torch.empty(1, 3, 512, 768, device=META)).latent_dist.mode()
    tokens = pack(latents)
    assert tokens.shape == (1, grid.tokens, PUBLISHED[name]["transformer"]["in_channels"])
    assert vae.decode(unpack(tokens, grid)).sample.shape == (1, 3, 512, 768)


@torch.inference_mode()
def test_the_text_encoders_give_what_the_transformer_takes(name: str) -> None:
    text_len = HUB_PROFILES[name].text_len
    with META:
        clip = CLIPTextModel(CLIPTextConfig(**PUBLISHED[name]["text_encoder"])).eval()
        t5 = T5EncoderModel(T5Config(**PUBLISHED[name]["text_encoder_2"])).eval()
    sequence = t5(torch.zeros(1, text_len, dtype=torch.long, device=META)).last_hidden_state
    pooled = clip(torch.zeros(1, 77, dtype=torch.long, device=META)).pooler_output
    assert sequence.shape == (1, text_len, PUBLISHED[name]["transformer"]["joint_attention_dim"])
    assert pooled.shape == (1, PUBLISHED[name]["transformer"]["pooled_projection_dim"])


def test_the_schedule_runs_from_noise_to_picture(name: str) -> None:
    scheduler = FlowMatchEulerDiscreteScheduler(**PUBLISHED[name]["scheduler"])
    steps = HUB_PROFILES[name].presets["paper-real"].num_inference_steps
    sigmas = make_sigmas(scheduler, steps, image_len=4096)
    assert (sigmas[0], sigmas[-1]) == (1.0, 0.0)
    assert sigmas == sorted(sigmas, reverse=True)
