"""Every published model at its full size on the meta device: names and shapes, no weights."""

from __future__ import annotations

import pytest
import torch

from tests.workers.published import META, PUBLISHED, pipeline
from workers.addit.backbones.backbone import Backbone
from workers.addit.backbones.conditioning import Conditioning
from workers.addit.forward import ExtendTarget, LendSource
from workers.addit.latents import LatentGrid
from workers.addit.source_memory import StepMemory
from workers.models.families import make_backbone
from workers.models.profiles import HUB_PROFILES, layers_by_depth

BILLIONS = {
    "flux-dev": 11.9, "flux-schnell": 11.9, "flux-kontext": 11.9, "flux2-dev": 32.2, "flux2-klein": 3.9,
    "flux2-klein-base": 3.9, "flux2-klein-9b": 9.1, "sd3.5-large": 8.1, "sd3.5-medium": 2.2,
}  # fmt: skip
"""Of the transformers, as their model cards round them (3.5-medium's 2.5 count its table of positions)."""


@pytest.fixture(scope="module", params=HUB_PROFILES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def backbone(name: str) -> Backbone:
    profile = HUB_PROFILES[name]
    return make_backbone(profile.family, pipeline(name, profile.family), profile.text_len, META)


def test_it_is_as_large_as_published(name: str, backbone: Backbone) -> None:
    numbers = sum(parameter.numel() for parameter in backbone.transformer.parameters())
    assert numbers / 1e9 == pytest.approx(BILLIONS[name], abs=0.1)


@pytest.mark.parametrize(("height", "width"), [(1024, 1024), (768, 1360)])
@torch.no_grad()
def test_an_extended_step_has_the_right_shapes(
    name: str, backbone: Backbone, height: int, width: int
) -> None:
    profile, grid = HUB_PROFILES[name], LatentGrid.of_image(height, width, vae_scale=8)
    config = backbone.transformer.config
    text_len = profile.text_len + (77 if profile.family == "sd3" else 0)
    pooled = torch.empty(1, config.get("pooled_projection_dim", 0), device=META)
    embeds = torch.empty(1, text_len, config.joint_attention_dim, device=META)
    empty = Conditioning(embeds, pooled, 1.0)
    cond = Conditioning(embeds, pooled, 3.5, empty if profile.family == "sd3" else None)
    latents = torch.empty(1, grid.tokens, 4 * backbone.latent_channels, device=META)
    memory, layers = StepMemory(), frozenset(backbone.layers)
    with backbone.exchange_processors():
        backbone.velocity(latents, 0.9, empty, grid, LendSource(memory, layers, text_len))
        extend = ExtendTarget(0, memory, layers, 1.05)
        shown = backbone.shown(cond, latents)
        velocity = backbone.velocity(latents.expand(2, -1, -1), 0.9, shown, grid, extend, extend)
    assert velocity.shape == (2, grid.tokens, 4 * backbone.latent_channels)
    assert {key.shape[1] for key, _ in memory.lent.values()} == {grid.tokens}
    assert {key.shape[2] * key.shape[3] for key, _ in memory.lent.values()} == {backbone.key_width}


def test_recorded_layers_exist(name: str, backbone: Backbone) -> None:
    config = backbone.transformer.config
    recorded = HUB_PROFILES[name].recorded_layers or layers_by_depth(
        config.num_layers, config.get("num_single_layers", 0)
    )
    assert len(recorded) >= 4
    assert set(recorded) <= set(backbone.layers)


@torch.no_grad()
def test_pictures_and_tokens_fit_together(backbone: Backbone) -> None:
    grid = LatentGrid(32, 48)
    tokens = backbone.encode_pixels(torch.empty(1, 3, 512, 768, device=META))
    assert tokens.shape == (1, grid.tokens, 4 * backbone.latent_channels)
    assert backbone.decode_tokens(tokens, grid).shape == (1, 3, 512, 768)


def test_every_profile_is_published() -> None:
    assert set(BILLIONS) == set(HUB_PROFILES) == set(PUBLISHED)
