"""Trained editors, as tiny checkpoints of the real classes on disk."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import (
    AutoencoderKL,
    AutoencoderKLQwenImage,
    DDIMScheduler,
    FlowMatchEulerDiscreteScheduler,
    QwenImageEditPipeline,
    QwenImageTransformer2DModel,
    StableDiffusionInstructPix2PixPipeline,
    UNet2DConditionModel,
)
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2VLImageProcessor,
    Qwen2VLProcessor,
    Qwen2VLVideoProcessor,
)

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


def save_qwen(folder: Path) -> None:
    """Qwen2.5-VL, its picture processor, and the editor's transformer, a layer or two of each."""
    torch.manual_seed(0)
    tokenizer = pipelines.chat_tokenizer()
    pads = ["<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"]
    tokenizer.add_special_tokens({"additional_special_tokens": pads})
    start, end, image, video = (tokenizer.convert_tokens_to_ids(pad) for pad in pads)
    rope = {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 1e6}
    language = Qwen2_5_VLConfig(
        text_config={
            "vocab_size": len(tokenizer), "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1,
            "num_attention_heads": 2, "num_key_value_heads": 2, "rope_parameters": rope,
            "max_position_embeddings": 2048, "bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 0,
        },
        vision_config={
            "depth": 1, "hidden_size": 16, "intermediate_size": 16, "num_heads": 2, "out_hidden_size": 16,
            "patch_size": 14, "fullatt_block_indexes": [0],
        },
        image_token_id=image, video_token_id=video, vision_start_token_id=start, vision_end_token_id=end,
    )  # fmt: skip
    vae = AutoencoderKLQwenImage(
        base_dim=8,
        z_dim=4,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=1,
        temperal_downsample=[False, True, True],
        latents_mean=[0.0] * 4,
        latents_std=[1.0] * 4,
    )
    transformer = QwenImageTransformer2DModel(
        in_channels=16, out_channels=4, num_layers=1, attention_head_dim=16, num_attention_heads=2,
        joint_attention_dim=16, axes_dims_rope=(4, 6, 6),
    )  # fmt: skip
    processor = Qwen2VLProcessor(Qwen2VLImageProcessor(), tokenizer, Qwen2VLVideoProcessor())
    QwenImageEditPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
        vae=vae,
        text_encoder=Qwen2_5_VLForConditionalGeneration(language),
        tokenizer=tokenizer,
        processor=processor,
        transformer=transformer,
    ).save_pretrained(folder)


def test_qwen_image_edit(tmp_path: Path) -> None:
    save_qwen(tmp_path)
    published = qwen_image_edit()
    call = tuple((dict(published.call) | dict(STEPS)).items())
    edited_twice(replace(published, place=str(tmp_path), call=call, pixels=SIDE**2))


def test_pictures_are_brought_to_the_area_it_was_trained_at() -> None:
    for method, pixels in ((instruct_pix2pix(), 512), (kontext(), 1024), (qwen_image_edit(), 1024)):
        assert method.pixels == pixels**2


def test_what_is_not_at_hand_says_so(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="not at hand"):
        instruct_pix2pix(str(tmp_path / "nothing")).prepare(tiny_bench())
