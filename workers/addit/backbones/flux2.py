"""FLUX.2: dev (Mistral text encoder, embedded guidance) and klein (Qwen3; classifier-free guidance unless
distilled)."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import torch
import torch.nn.functional as F
from diffusers import Flux2KleinPipeline, Flux2Pipeline
from diffusers.pipelines.flux2.pipeline_flux2 import format_input
from torch import Tensor

from workers.addit.backbones.borrowing import borrowed_attention
from workers.addit.backbones.conditioning import Conditioning, by_row
from workers.addit.backbones.guidance import guided_velocity, is_guided
from workers.addit.exchanging import attend
from workers.addit.latents import LatentGrid, image_ids, pack, unpack
from workers.addit.processor import Exchange, ExchangeAttnProcessor, attention_layers
from workers.addit.rotating import Rotary, rotate
from workers.addit.schedule import empirical_sigmas
from workers.addit.subject_tokens import find_subjects_in_chat


class ParallelExchangeProcessor:
    """FLUX.2's single-stream attention, whose projections are one with those of the feed-forward part."""

    _attention_backend = None
    _parallel_config = None

    def __init__(self, layer: str) -> None:
        self.layer = layer

    def __call__(
        self,
        attn: Any,
        hidden_states: Tensor,
        attention_mask: Tensor | None = None,
        image_rotary_emb: Rotary | None = None,
        exchange: Exchange | None = None,
    ) -> Tensor:
        """(B, T + L, E), text tokens first."""
        projected = attn.to_qkv_mlp_proj(hidden_states)
        wide = attn.mlp_hidden_dim * attn.mlp_mult_factor
        attending, feeding = torch.split(projected, [3 * attn.inner_dim, wide], dim=-1)
        heads = (-1, attn.head_dim)
        query, key, value = (torch.unflatten(part, -1, heads) for part in attending.chunk(3, dim=-1))
        query, key = attn.norm_q(query), attn.norm_k(key)
        if image_rotary_emb is not None:
            query, key = rotate(image_rotary_emb, query, key)
        attended = attend(self, exchange, query, key, value, attention_mask)
        out: Tensor = attn.to_out(torch.cat([attended, attn.mlp_act_fn(feeding)], dim=-1))
        return out


@dataclass(frozen=True)
class Flux2Backbone:
    """text_len: tokens a chat with one prompt is padded to."""

    pipe: Flux2Pipeline | Flux2KleinPipeline
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
        """See `Backbone`."""
        return attention_layers(self.transformer)

    @property
    def double_layers(self) -> frozenset[str]:
        """The double-stream blocks."""
        return frozenset(layer for layer in self.layers if layer.startswith("transformer_blocks."))

    @property
    def key_width(self) -> int:
        """See `Backbone`."""
        return int(self.transformer.inner_dim)

    @property
    def latent_channels(self) -> int:
        """See `Backbone`."""
        return int(self.pipe.vae.config.latent_channels)

    @property
    def guides_twice(self) -> bool:
        """Whether guidance is classifier-free: neither embedded nor distilled away."""
        embedded = self.transformer.config.guidance_embeds
        return not embedded and not self.pipe.config.get("is_distilled", False)

    def exchange_processors(self) -> AbstractContextManager[None]:
        """FLUX.1's for double-stream blocks, whose attention is the same, and another for the others."""
        layers = {name: name.removesuffix(".attn.processor") for name in self.transformer.attn_processors}
        double = self.double_layers
        ours = {
            name: ExchangeAttnProcessor(layer) if layer in double else ParallelExchangeProcessor(layer)
            for name, layer in layers.items()
        }
        return borrowed_attention(self.transformer, ours)

    def encode_prompts(self, prompts: Sequence[str], guidance: Sequence[float]) -> list[Conditioning]:
        """Three layers of a language model, stacked; the empty prompt where a scale needs it."""
        doubled = self.guides_twice and max(guidance) > 1
        texts = [*prompts, *([""] if doubled else [])]
        embeds, _ = self.pipe.encode_prompt(texts, device=self.device, max_sequence_length=self.text_len)
        negative = Conditioning(embeds[-1:], None, 1.0) if doubled else None
        return [
            Conditioning(embeds[i : i + 1], None, scale, negative if scale > 1 else None)
            for i, scale in enumerate(guidance)
        ]

    def subject_tokens(
        self, source_prompt: str, prompt: str, subjects: Sequence[str]
    ) -> tuple[tuple[int, ...], ...]:
        """In the chat that the pipeline makes of the prompt, padding included."""
        tokenizer = getattr(self.pipe.tokenizer, "tokenizer", self.pipe.tokenizer)  # a processor's own
        return find_subjects_in_chat(tokenizer, self._chat(prompt), source_prompt, prompt, subjects)

    def _chat(self, prompt: str) -> list[int]:
        padded: dict[str, Any] = {
            "padding": "max_length",
            "truncation": True,
            "max_length": self.text_len,
        }
        tokenizer = self.pipe.tokenizer
        if isinstance(self.pipe, Flux2KleinPipeline):
            said = [{"role": "user", "content": prompt}]
            text = tokenizer.apply_chat_template(
                said, tokenize=False, add_generation_prompt=True, enable_thinking=False
            )
            return list(tokenizer(text, **padded).input_ids)
        told = format_input([prompt], self.pipe.system_message)
        ids = tokenizer.apply_chat_template(
            told, add_generation_prompt=False, tokenize=True, return_dict=True, return_tensors="pt", **padded
        )["input_ids"]
        return [int(token) for token in ids[0]]

    def shown(self, cond: Conditioning, x0: Tensor) -> Conditioning:
        """Nothing beside the prompt. (FLUX.2 can look at pictures too; this is not used.)"""
        return cond

    def rotary_shift(self, down: float, right: float) -> Rotary:
        """As in FLUX.1, with the text's axis behind the image's."""
        ids = torch.tensor([[0.0, down, right, 0.0]], device=self.device)
        shift: Rotary = self.transformer.pos_embed(ids)
        return shift

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
        rows, device, dtype = latents.shape[0], latents.device, self.dtype
        embedded = self.transformer.config.guidance_embeds
        velocity: Tensor = self.transformer(
            hidden_states=latents.to(dtype),
            timestep=by_row(sigma, rows, device),
            guidance=by_row(cond.guidance, rows, device) if embedded else None,
            encoder_hidden_states=cond.prompt_embeds.to(device, dtype).expand(rows, -1, -1),
            txt_ids=text_ids(cond.prompt_embeds.shape[1], device),
            img_ids=F.pad(image_ids(grid, device), (0, 1)),
            joint_attention_kwargs={"exchange": exchange},
            return_dict=False,
        )[0]
        return velocity.float()

    def foresee(self, cond: Conditioning, sigmas: Sequence[float]) -> None:
        """See `Backbone`: nothing."""

    def sigmas(self, num_inference_steps: int, image_len: int) -> list[float]:
        """See `Backbone`."""
        return empirical_sigmas(self.pipe.scheduler, num_inference_steps, image_len)

    def encode_pixels(self, pixels: Tensor) -> Tensor:
        """Normalised per channel of a token, by the statistics the autoencoder was trained with."""
        vae = self.pipe.vae
        latents = vae.encode(pixels.to(vae.dtype)).latent_dist.mode().float()
        mean, deviation = token_statistics(vae)
        return (pack(latents) - mean) / deviation

    def decode_tokens(self, tokens: Tensor, grid: LatentGrid) -> Tensor:
        """See `Backbone`."""
        vae = self.pipe.vae
        mean, deviation = token_statistics(vae)
        pixels: Tensor = vae.decode(unpack(tokens * deviation + mean, grid).to(vae.dtype)).sample.float()
        return pixels


def text_ids(text_len: int, device: torch.device) -> Tensor:
    """(T, 4) positions (0, 0, 0, place in the text): FLUX.2 tells text tokens apart, FLUX.1 does not."""
    return F.pad(torch.arange(text_len, device=device).float()[:, None], (3, 0))


def token_statistics(vae: Any) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation (C,) of a token's channels, float32."""
    variance = vae.bn.running_var.float() + vae.config.batch_norm_eps
    return vae.bn.running_mean.float(), variance.sqrt()
