"""A new pipeline with random weights, in FLUX's geometry: what the transformer's training starts from."""

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel
from diffusers.pipelines.flux.pipeline_flux import FluxPipeline
from diffusers.schedulers.scheduling_flow_match_euler_discrete import FlowMatchEulerDiscreteScheduler
from tokenizers import Tokenizer, normalizers, pre_tokenizers, processors
from tokenizers.models import WordLevel
from transformers import CLIPTextConfig, CLIPTextModel, PreTrainedTokenizerFast, T5Config, T5EncoderModel

TEXT_LEN = 32  # tokens a caption is padded to
TEXT_WIDTH = 192
POOLED_WIDTH = 128
HEAD = 64  # CPUs' attention kernels are faster at 64 than at 32


def build_pipeline(words: list[str], vae: AutoencoderKL, seed: int) -> FluxPipeline:
    """An untrained transformer and text encoders that know these words, around a trained autoencoder."""
    torch.manual_seed(seed)
    tokenizer, tokenizer_2 = clip_tokenizer(words), t5_tokenizer(words)
    return FluxPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
        vae=vae,
        text_encoder=_clip(tokenizer),
        tokenizer=tokenizer,
        text_encoder_2=_t5(tokenizer_2),
        tokenizer_2=tokenizer_2,
        transformer=build_transformer(4 * int(vae.config["latent_channels"])),
    )


def build_transformer(in_channels: int) -> FluxTransformer2DModel:
    """3 double and 5 single blocks, width 256: 12.6 million parameters."""
    return FluxTransformer2DModel(
        patch_size=1,
        in_channels=in_channels,
        num_layers=3,
        num_single_layers=5,
        attention_head_dim=HEAD,
        num_attention_heads=4,
        joint_attention_dim=TEXT_WIDTH,
        pooled_projection_dim=POOLED_WIDTH,
        guidance_embeds=True,
        axes_dims_rope=(16, 24, 24),
    )


def clip_tokenizer(words: list[str]) -> PreTrainedTokenizerFast:
    """Word-level, framed by CLIP's two marks."""
    start, end = "<|startoftext|>", "<|endoftext|>"
    tokenizer = _word_level([start, end, "<unk>", *words])
    ids = {mark: tokenizer.token_to_id(mark) for mark in (start, end)}
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{start} $A {end}", special_tokens=list(ids.items())
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=TEXT_LEN,
        bos_token=start,
        eos_token=end,
        pad_token=end,
        unk_token="<unk>",
    )


def t5_tokenizer(words: list[str]) -> PreTrainedTokenizerFast:
    """Word-level, ended by T5's mark."""
    tokenizer = _word_level(["<pad>", "</s>", "<unk>", *words])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", tokenizer.token_to_id("</s>"))]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=TEXT_LEN,
        eos_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
    )


def _word_level(words: list[str]) -> Tokenizer:
    tokenizer = Tokenizer(WordLevel({word: at for at, word in enumerate(words)}, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return tokenizer


def _clip(tokenizer: PreTrainedTokenizerFast) -> CLIPTextModel:
    """Its pooled vector is the end mark's, which it finds by `eos_token_id`."""
    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=POOLED_WIDTH,
        intermediate_size=2 * POOLED_WIDTH,
        num_hidden_layers=2,
        num_attention_heads=POOLED_WIDTH // 32,
        max_position_embeddings=TEXT_LEN,
        projection_dim=POOLED_WIDTH,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return CLIPTextModel(config)


def _t5(tokenizer: PreTrainedTokenizerFast) -> T5EncoderModel:
    config = T5Config(
        vocab_size=len(tokenizer),
        d_model=TEXT_WIDTH,
        d_kv=HEAD,
        d_ff=2 * TEXT_WIDTH,
        num_layers=3,
        num_heads=TEXT_WIDTH // HEAD,
        feed_forward_proj="gated-gelu",
        dropout_rate=0.0,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    return T5EncoderModel(config)
