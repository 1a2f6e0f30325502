"""Trained editors, as tiny checkpoints of the real classes on disk."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    StableDiffusionInstructPix2PixPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextConfig, CLIPTextModel

from evaluation.errors import EvaluationError
from evaluation.methods.pipelines import InstructedPipeline, instruct_pix2pix, kontext, qwen_image_edit
from tests.evaluation.samples import SIDE, TOLD, picture, tiny_bench
from tests.workers import pipelines

STEPS = (("num_inference_steps", 2),)


def save_pix2pix(folder: Path) -> None:
    """Eight channels go into its U-Net: the noisy latents, and the picture's."""
    torch.manual_seed(0)
    tokenizer = pipelines.flux().tokenizer
    text = CLIPTextConfig(
        vocab_size=len(tokenizer), hidden_size=16, intermediate_size=16, num_hidden_layers=1,
        num_attention_heads=2, max_position_embeddings=32, bos_token_id=0, eos_token_id=1, pad_token_id=1,
    )  # fmt: skip
    unet = UNet2DConditionModel(
        in_channels=8, out_channels=4, block_out_channels=(16, 16), layers_per_block=1,
        cross_attention_dim=16,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), norm_num_groups=4, attention_head_dim=4,
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), sample_size=8,
    )  # fmt: skip
    vae = AutoencoderKL(
        block_out_channels=(8, 8, 8, 8), norm_num_groups=4, latent_channels=4,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
    )  # fmt: skip
    StableDiffusionInstructPix2PixPipeline(
        vae=vae, text_encoder=CLIPTextModel(text), tokenizer=tokenizer, unet=unet, scheduler=DDIMScheduler(),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    ).save_pretrained(folder)  # fmt: skip


def edited_twice(method: InstructedPipeline) -> None:
    """Same seed same picture, of the source's size; another seed another."""
    bench = tiny_bench()
    method.prepare(bench)
    made = [method.edit(bench, TOLD, picture(), seed) for seed in (1, 1, 2)]
    assert made[0].picture.shape == (SIDE, SIDE, 3)
    assert made[0].forwards == 2 * method.passes
    assert np.array_equal(made[0].picture, made[1].picture)
    assert not np.array_equal(made[0].picture, made[2].picture)


def test_instruct_pix2pix(tmp_path: Path) -> None:
    save_pix2pix(tmp_path)
    published = instruct_pix2pix(str(tmp_path))
    call = tuple((dict(published.call) | dict(STEPS)).items())
    edited_twice(replace(published, call=call, pixels=SIDE**2))


def test_kontext(tmp_path: Path) -> None:
    pipelines.kontext().save_pretrained(tmp_path)
    call = (*STEPS, ("guidance_scale", 2.5), ("max_sequence_length", 32), ("_auto_resize", False))
    edited_twice(replace(kontext(), place=str(tmp_path), call=(*call, ("max_area", SIDE**2)), pixels=SIDE**2))


def test_pictures_are_brought_to_the_area_it_was_trained_at() -> None:
    for method, pixels in ((instruct_pix2pix(), 512), (kontext(), 1024), (qwen_image_edit(), 1024)):
        assert method.pixels == pixels**2


def test_what_is_not_at_hand_says_so(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="not at hand"):
        instruct_pix2pix(str(tmp_path / "nothing")).prepare(tiny_bench())
