"""Packing is FluxPipeline's, and loses nothing."""

import torch
from diffusers import FluxPipeline

from toyland.latents import image_ids, pack, to_pictures, to_tensor, unpack


def test_unpack_undoes_pack() -> None:
    latents = torch.randn(2, 4, 6, 10)
    assert torch.equal(unpack(pack(latents), height=3), latents)


def test_pack_is_the_pipelines() -> None:
    latents = torch.randn(2, 4, 6, 10)
    assert torch.equal(pack(latents), FluxPipeline._pack_latents(latents, 2, 4, 6, 10))


def test_image_ids_are_the_pipelines() -> None:
    ids = FluxPipeline._prepare_latent_image_ids(1, 3, 5, torch.device("cpu"), torch.float32)
    assert torch.equal(image_ids(3, 5), ids)


def test_pictures_survive_the_tensor_form() -> None:
    pictures = torch.randint(0, 256, (2, 4, 4, 3), dtype=torch.uint8)
    assert torch.equal(to_pictures(to_tensor(pictures)), pictures)
