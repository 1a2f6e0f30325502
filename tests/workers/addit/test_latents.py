from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.addit.errors import UnsupportedSize
from workers.addit.latents import LatentGrid, add_noise, draw_noise, image_ids, pack, unpack


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 3), st.integers(1, 4))
@settings(deadline=None, max_examples=30)
def test_unpacking_undoes_packing_for_any_shape(height: int, width: int, batch: int, channels: int) -> None:
    latents = torch.randn(batch, channels, 2 * height, 2 * width)
    packed = pack(latents)
    assert packed.shape == (batch, height * width, 4 * channels)
    assert torch.equal(unpack(packed, LatentGrid(height, width)), latents)


def test_packing_is_diffusers_packing() -> None:
    from diffusers import FluxPipeline

    latents = torch.randn(2, 4, 6, 10)
    assert torch.equal(pack(latents), FluxPipeline._pack_latents(latents, 2, 4, 6, 10))


def test_positions_are_diffusers_positions() -> None:
    from diffusers import FluxPipeline

    ids = FluxPipeline._prepare_latent_image_ids(1, 3, 5, torch.device("cpu"), torch.float32)
    assert torch.equal(image_ids(LatentGrid(3, 5), torch.device("cpu")), ids)


@pytest.mark.parametrize(("height", "width"), [(32, 48), (1024, 768), (48, 16)])
def test_a_grid_is_derived_from_the_picture(height: int, width: int) -> None:
    assert LatentGrid.of_image(height, width, vae_scale=8) == LatentGrid(height // 16, width // 16)


@pytest.mark.parametrize(("height", "width"), [(0, 16), (8, 16), (24, 16), (16, 100), (-16, 16)])
def test_other_sizes_are_refused(height: int, width: int) -> None:
    with pytest.raises(UnsupportedSize, match=f"{width}x{height}"):
        LatentGrid.of_image(height, width, vae_scale=8)


def test_each_seed_has_its_own_noise_whatever_the_batch() -> None:
    grid = LatentGrid(2, 3)
    alone, among = draw_noise([7], 4, grid, element=1), draw_noise([1, 7], 4, grid, element=1)
    assert torch.equal(among[1:], alone)
    assert not torch.equal(draw_noise([7], 4, grid, element=0), alone)


def test_noise_levels_end_at_the_picture_and_at_the_noise() -> None:
    x0, noise = torch.randn(1, 4, 8), torch.randn(1, 4, 8)
    assert torch.equal(add_noise(x0, noise, 0.0), x0)
    assert torch.equal(add_noise(x0, noise, 1.0), noise)
