"""Small random pipelines of the real diffusers classes, one of each family, in float32."""

from __future__ import annotations

from typing import Any

import torch
from diffusers import (
    AutoencoderKLFlux2,
    FlowMatchEulerDiscreteScheduler,
    Flux2KleinPipeline,
    Flux2Transformer2DModel,
    FluxKontextPipeline,
    FluxPipeline,
    FluxTransformer2DModel,
    SD3Transformer2DModel,
    StableDiffusion3Pipeline,
)
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    CLIPTextConfig,
    CLIPTextModelWithProjection,
    PreTrainedTokenizerFast,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from workers.models.profiles import embedded_profile

CHAT = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""As Qwen's, without its thinking."""
SENTENCES = ["a photo of a beach with a dog", "a photo of a meadow with a sheep", "user assistant"]


def flux(guided: bool = True) -> FluxPipeline:
    """Two blocks of either kind; text encoders and autoencoder as shipped."""
    pipe = FluxPipeline.from_pretrained(embedded_profile().place, dtype=torch.float32)
    torch.manual_seed(0)
    config = dict(pipe.transformer.config) | {"guidance_embeds": guided, "num_attention_heads": 2}
    pipe.transformer = FluxTransformer2DModel.from_config(config | {"num_layers": 2, "num_single_layers": 2})
    return quiet(pipe)


def kontext() -> FluxKontextPipeline:
    """The same modules in a pipeline that is shown a picture."""
    return quiet(FluxKontextPipeline(**flux().components))


def sd3() -> StableDiffusion3Pipeline:
    """Four blocks, the first two with a second attention, the last without text after it, as 3.5-medium."""
    parts = flux().components
    torch.manual_seed(0)
    clip = CLIPTextConfig(
        vocab_size=124, hidden_size=32, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2,
        projection_dim=32, max_position_embeddings=32, bos_token_id=0, eos_token_id=1, pad_token_id=1,
    )  # fmt: skip
    transformer = SD3Transformer2DModel(
        sample_size=16, num_layers=4, attention_head_dim=8, num_attention_heads=4, joint_attention_dim=192,
        caption_projection_dim=32, pooled_projection_dim=64, pos_embed_max_size=24,
        dual_attention_layers=(0, 1), qk_norm="rms_norm",
    )  # fmt: skip
    return quiet(
        StableDiffusion3Pipeline(
            transformer=transformer,
            scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
            vae=parts["vae"],
            text_encoder=CLIPTextModelWithProjection(clip),
            text_encoder_2=CLIPTextModelWithProjection(clip),
            text_encoder_3=parts["text_encoder_2"],
            tokenizer=parts["tokenizer"],
            tokenizer_2=parts["tokenizer"],
            tokenizer_3=parts["tokenizer_2"],
        )
    )


def klein(distilled: bool = False, embedded_guidance: bool = False) -> Flux2KleinPipeline:
    """Two blocks of either kind, a Qwen3 as deep as the pipeline reads, a tokenizer of its kind."""
    tokenizer = chat_tokenizer()
    torch.manual_seed(0)
    language = Qwen3Config(
        vocab_size=len(tokenizer), hidden_size=16, intermediate_size=16, num_hidden_layers=28,
        num_attention_heads=2, num_key_value_heads=1, head_dim=8, max_position_embeddings=64,
    )  # fmt: skip
    transformer = Flux2Transformer2DModel(
        in_channels=16, num_layers=2, num_single_layers=2, attention_head_dim=16, num_attention_heads=2,
        joint_attention_dim=48, axes_dims_rope=(4, 4, 4, 4), guidance_embeds=embedded_guidance,
    )  # fmt: skip
    vae = AutoencoderKLFlux2(
        block_out_channels=(8, 8, 8, 8), layers_per_block=1, latent_channels=4, norm_num_groups=2
    )
    torch.nn.init.normal_(vae.bn.running_mean)
    torch.nn.init.uniform_(vae.bn.running_var, 0.5, 2.0)
    return quiet(
        Flux2KleinPipeline(
            scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
            vae=vae,
            text_encoder=Qwen3ForCausalLM(language),
            tokenizer=tokenizer,
            transformer=transformer,
            is_distilled=distilled,
        )
    )


def chat_tokenizer() -> PreTrainedTokenizerFast:
    """Byte-level pairs with a word's space in its first token, as language models have them."""
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    core.train_from_iterator(
        SENTENCES,
        trainers.BpeTrainer(vocab_size=400, special_tokens=special, initial_alphabet=alphabet),
    )
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=core, pad_token=special[0], eos_token=special[2])
    tokenizer.chat_template = CHAT
    return tokenizer


def quiet(pipe: Any) -> Any:
    """Ready for tests: no progress bar, float32, evaluating."""
    pipe.set_progress_bar_config(disable=True)
    for part in pipe.components.values():
        if isinstance(part, torch.nn.Module):
            part.float().eval().requires_grad_(False)
    return pipe
