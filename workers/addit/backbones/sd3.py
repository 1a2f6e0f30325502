"""Stable Diffusion 3 and 3.5 (arXiv 2403.03206): joint attention in every block, absolute positions,
classifier-free guidance."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import torch
from diffusers import StableDiffusion3Pipeline
from torch import Tensor

from workers.addit.backbones import kl_autoencoder
from workers.addit.backbones.borrowing import borrowed_attention
from workers.addit.backbones.conditioning import Conditioning, by_row
from workers.addit.backbones.guidance import guided_velocity, is_guided
from workers.addit.errors import UnsupportedOption
from workers.addit.exchanging import attend
from workers.addit.latents import LatentGrid, pack, unpack
from workers.addit.processor import Exchange
from workers.addit.rotating import Rotary
from workers.addit.schedule import default_sigmas
from workers.addit.subject_tokens import find_subjects


class JointExchangeProcessor:
    """SD3's attention with an `Exchange` between projection and attention.

    layer: None for the second attention that some blocks of 3.5-medium have: it sees no text, so there is
        nothing to weigh the source against, and it stays as it is
    """

    _attention_backend = None
    _parallel_config = None

    def __init__(self, layer: str | None) -> None:
        self.layer = layer

    def __call__(
        self,
        attn: Any,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        exchange: Exchange | None = None,
    ) -> Tensor | tuple[Tensor, Tensor]:
        """Image in `hidden_states`, text apart; returns image, or image and text."""
        query, key, value = _project(attn, hidden_states, encoder_hidden_states)
        exchange = None if self.layer is None else exchange
        attended = attend(self, exchange, query, key, value, attention_mask)  # (B, T + L, H*D)
        text_len = 0 if encoder_hidden_states is None else encoder_hidden_states.shape[1]
        image: Tensor = attn.to_out[1](attn.to_out[0](attended[:, text_len:]))
        if encoder_hidden_states is None:
            return image
        text = attended[:, :text_len]
        return image, text if attn.context_pre_only else attn.to_add_out(text)


def _project(attn: Any, image: Tensor, text: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    """Queries, keys, values (B, T + L, H, D) after RMS-norm, text tokens first as in FLUX.

    diffusers puts them last; attention does not mind.
    """
    parts = _heads(attn, image, ("to_q", "to_k", "to_v"), (attn.norm_q, attn.norm_k))
    if text is None:
        return parts
    norms = attn.norm_added_q, attn.norm_added_k
    told = _heads(attn, text, ("add_q_proj", "add_k_proj", "add_v_proj"), norms)
    query, key, value = (torch.cat(pair, dim=1) for pair in zip(told, parts, strict=True))
    return query, key, value


def _heads(
    attn: Any, states: Tensor, names: Sequence[str], norms: tuple[Any, Any]
) -> tuple[Tensor, Tensor, Tensor]:
    query, key, value = (torch.unflatten(getattr(attn, name)(states), -1, (attn.heads, -1)) for name in names)
    normed = [part if norm is None else norm(part) for part, norm in zip((query, key), norms, strict=True)]
    return normed[0], normed[1], value


@dataclass(frozen=True)
class Sd3Backbone:
    """text_len: T5 tokens a prompt is padded to; CLIP's come before them."""

    pipe: StableDiffusion3Pipeline
    text_len: int
    device: torch.device

    @property
    def transformer(self) -> Any:
        """See `Backbone`."""
        return self.pipe.transformer

    @cached_property
    def dtype(self) -> torch.dtype:
        """See `Backbone`."""
        dtype: torch.dtype = self.transformer.dtype
        return dtype

    @property
    def layers(self) -> tuple[str, ...]:
        """The joint attention of every block."""
        return tuple(f"transformer_blocks.{i}" for i in range(self.transformer.config.num_layers))

    @property
    def double_layers(self) -> frozenset[str]:
        """The first third, where FLUX.1 has its double-stream blocks (19 of 57)."""
        return frozenset(self.layers[: round(len(self.layers) / 3)])

    @property
    def key_width(self) -> int:
        """See `Backbone`."""
        return int(self.transformer.inner_dim)

    @property
    def latent_channels(self) -> int:
        """See `Backbone`."""
        return int(self.pipe.vae.config.latent_channels)

    def exchange_processors(self) -> AbstractContextManager[None]:
        """See `Backbone`."""
        joint = ".attn.processor"
        ours = {
            name: JointExchangeProcessor(name.removesuffix(joint) if name.endswith(joint) else None)
            for name in self.transformer.attn_processors
        }
        return borrowed_attention(self.transformer, ours)

    def encode_prompts(self, prompts: Sequence[str], guidance: Sequence[float]) -> list[Conditioning]:
        """Two CLIPs (sequence and pooled) and T5; the empty prompt where a scale needs it."""
        texts = list(prompts)
        embeds, empty, pooled, empty_pooled = self.pipe.encode_prompt(
            texts,
            texts,
            texts,
            device=self.device,
            do_classifier_free_guidance=max(guidance) > 1,
            max_sequence_length=self.text_len,
        )
        negative = Conditioning(empty[:1], empty_pooled[:1], 1.0) if max(guidance) > 1 else None
        return [
            Conditioning(embeds[i : i + 1], pooled[i : i + 1], scale, negative if scale > 1 else None)
            for i, scale in enumerate(guidance)
        ]

    def subject_tokens(
        self, source_prompt: str, prompt: str, subjects: Sequence[str]
    ) -> tuple[tuple[int, ...], ...]:
        """T5's, which lie behind CLIP's."""
        found = find_subjects(self.pipe.tokenizer_3, source_prompt, prompt, subjects, self.text_len)
        return tuple(tuple(self.pipe.tokenizer_max_length + token for token in tokens) for tokens in found)

    def shown(self, cond: Conditioning, x0: Tensor) -> Conditioning:
        """Nothing beside the prompt."""
        return cond

    @property
    def guides_twice(self) -> bool:
        """See `Backbone`."""
        return True

    def rotary_shift(self, down: float, right: float) -> Rotary:
        """Positions are added to the tokens before the first block: keys cannot be moved afterwards."""
        raise UnsupportedOption("this model has no rotary positions: its source cannot be shifted")

    def passes(self, cond: Conditioning) -> int:
        """See `Backbone`."""
        return 2 if is_guided(cond) else 1

    def velocity(
        self,
        latents: Tensor,
        sigma: float | Tensor,
        cond: Conditioning,
        grid: LatentGrid,
        exchange: Exchange,
        unconditional: Exchange | None = None,
    ) -> Tensor:
        """See `Backbone`."""
        run = partial(self._pass, grid=grid)
        return guided_velocity(run, latents, sigma, cond, exchange, unconditional)

    def _pass(
        self,
        latents: Tensor,
        sigma: float | Tensor,
        cond: Conditioning,
        exchange: Exchange,
        grid: LatentGrid,
    ) -> Tensor:
        assert cond.pooled_prompt_embeds is not None
        rows, device, dtype = latents.shape[0], latents.device, self.dtype
        levels = self.pipe.scheduler.config.num_train_timesteps
        velocity: Tensor = self.transformer(
            hidden_states=unpack(latents, grid).to(dtype),
            timestep=by_row(sigma, rows, device) * levels,
            encoder_hidden_states=cond.prompt_embeds.to(device, dtype).expand(rows, -1, -1),
            pooled_projections=cond.pooled_prompt_embeds.to(device, dtype).expand(rows, -1),
            joint_attention_kwargs={"exchange": exchange},
            return_dict=False,
        )[0]
        return pack(velocity.float())

    def foresee(self, cond: Conditioning, sigmas: Sequence[float]) -> None:
        """See `Backbone`: nothing."""

    def sigmas(self, num_inference_steps: int, image_len: int) -> list[float]:
        """The checkpoint's own; they do not depend on the size."""
        return default_sigmas(self.pipe.scheduler, num_inference_steps)

    def encode_pixels(self, pixels: Tensor) -> Tensor:
        """See `Backbone`."""
        return kl_autoencoder.encode_pixels(self.pipe.vae, pixels)

    def decode_tokens(self, tokens: Tensor, grid: LatentGrid) -> Tensor:
        """See `Backbone`."""
        return kl_autoencoder.decode_tokens(self.pipe.vae, tokens, grid)
