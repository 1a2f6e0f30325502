"""FLUX with one block of each kind, width 16, and six random samples for it to learn from."""

import numpy as np
import torch
from diffusers import FluxTransformer2DModel
from torch import Tensor
from transformers import CLIPTextConfig, CLIPTextModel, T5Config, T5EncoderModel

from toyland.encoded import Encoded
from toyland.flow import FluxModules
from toyland.parts import Overheard, PartReader
from toyland.texts import WORDINGS, Texts, Tokens
from toyland.train_flux import FluxRecipe

SAMPLES, TEXT_LEN, WORDS = 6, 5, 11
CHANNELS, SIDE = 4, 16  # of latents


def tiny_modules() -> FluxModules:
    """The three networks, always the same."""
    torch.manual_seed(0)
    transformer = FluxTransformer2DModel(
        patch_size=1,
        in_channels=4 * CHANNELS,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=8,
        num_attention_heads=2,
        joint_attention_dim=8,
        pooled_projection_dim=8,
        guidance_embeds=True,
        axes_dims_rope=(4, 2, 2),
    )
    clip = CLIPTextConfig(
        vocab_size=WORDS,
        hidden_size=8,
        intermediate_size=8,
        num_hidden_layers=1,
        num_attention_heads=1,
        max_position_embeddings=TEXT_LEN,
        eos_token_id=1,
    )
    t5 = T5Config(vocab_size=WORDS, d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=2, dropout_rate=0.0)
    return FluxModules(transformer, CLIPTextModel(clip), T5EncoderModel(t5))


def tiny_encoded() -> Encoded:
    """Random latents, the same thing everywhere."""
    random = np.random.default_rng(0)
    latents = random.normal(size=(SAMPLES, CHANNELS, SIDE, SIDE)).astype(np.float16)
    tokens = (SAMPLES, SIDE // 2, SIDE // 2)
    shares, parts = np.ones(tokens, np.float16), np.ones((*tokens, 3), np.float16)
    return Encoded(latents, shares, parts, np.ones(SAMPLES, np.float32))


def tiny_texts() -> Texts:
    """Random words."""
    random = np.random.default_rng(1)

    def words(count: int) -> Tensor:
        return torch.from_numpy(random.integers(0, WORDS, (count, TEXT_LEN)))

    return Texts(Tokens(words(SAMPLES * WORDINGS), words(SAMPLES * WORDINGS)), Tokens(words(1), words(1)))


def tiny_flux_recipe() -> FluxRecipe:
    """Batches of two, the reader always the same."""
    modules = tiny_modules()
    blocks = modules.transformer.transformer_blocks
    overheard = Overheard(blocks[-1])
    blocks[-1] = overheard
    reader = PartReader(modules.transformer.inner_dim)
    return FluxRecipe(modules, reader, overheard, tiny_encoded(), tiny_texts(), batch=2)
