"""FLUX.1: dev, schnell, Kontext, and every checkpoint of the same classes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch
from diffusers import FluxKontextPipeline, FluxPipeline
from torch import Tensor

from workers.addit.backbones import kl_autoencoder
from workers.addit.backbones.borrowing import borrowed_attention
from workers.addit.backbones.conditioning import Conditioning, by_row
from workers.addit.backbones.foreseen import answers, foresee, foreseeing
from workers.addit.latents import LatentGrid, image_ids
from workers.addit.processor import Exchange, ExchangeAttnProcessor, attention_layers
from workers.addit.rotating import Rotary
from workers.addit.schedule import make_sigmas
from workers.addit.subject_tokens import find_subjects


@dataclass(frozen=True)
class FluxBackbone:
    """text_len: T5 tokens a prompt is padded to; shows_source: Kontext, whose target sees the source."""

    pipe: FluxPipeline | FluxKontextPipeline
    text_len: int
    device: torch.device
    shows_source: bool = False

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

    def exchange_processors(self) -> AbstractContextManager[None]:
        """See `Backbone`."""
        return self._lent(ExchangeAttnProcessor)

    @contextmanager
    def _lent(self, processor: Callable[[str], Any]) -> Iterator[None]:
        """Attention of this sort by layer, and modules that answer what is foreseen."""
        names = self.transformer.attn_processors
        ours = {name: processor(name.removesuffix(".attn.processor")) for name in names}
        with borrowed_attention(self.transformer, ours), foreseeing(self.transformer):
            yield

    def foresee(self, cond: Conditioning, sigmas: Sequence[float]) -> None:
        """See `Backbone`: the modulation of all blocks."""
        if not answers(self.transformer):
            return
        assert cond.pooled_prompt_embeds is not None
        steps, device, dtype = len(sigmas), self.device, self.dtype
        scaled = [torch.tensor(sigmas, device=device)]
        if self.transformer.config.guidance_embeds:
            scaled.append(by_row(cond.guidance, steps, device))
        pooled = cond.pooled_prompt_embeds.to(device, dtype).expand(steps, -1)
        foresee(self.transformer, *(part.to(dtype) * 1000 for part in scaled), pooled)

    def encode_prompts(self, prompts: Sequence[str], guidance: Sequence[float]) -> list[Conditioning]:
        """CLIP (pooled) and T5 (sequence)."""
        embeds, pooled, _ = self.pipe.encode_prompt(
            list(prompts), list(prompts), device=self.device, max_sequence_length=self.text_len
        )
        return [Conditioning(embeds[i : i + 1], pooled[i : i + 1], scale) for i, scale in enumerate(guidance)]

    def subject_tokens(
        self, source_prompt: str, prompt: str, subjects: Sequence[str]
    ) -> tuple[tuple[int, ...], ...]:
        """See `Backbone`."""
        return find_subjects(self.pipe.tokenizer_2, source_prompt, prompt, subjects, self.text_len)

    def shown(self, cond: Conditioning, x0: Tensor) -> Conditioning:
        """Kontext's target sees the clean source; the source's own pass does not."""
        return replace(cond, context=x0) if self.shows_source else cond

    def rotary_shift(self, down: float, right: float) -> Rotary:
        """Rotations add up: this is that of the distance itself."""
        shift: Rotary = self.transformer.pos_embed(torch.tensor([[0.0, down, right]], device=self.device))
        return shift

    @property
    def guides_twice(self) -> bool:
        """Guidance is embedded, or not there at all."""
        return False

    def passes(self, cond: Conditioning) -> int:
        """See `Backbone`."""
        return 1

    def velocity(
        self,
        latents: Tensor,
        sigma: float | Tensor,
        cond: Conditioning,
        grid: LatentGrid,
        exchange: Exchange,
        unconditional: Exchange | None = None,
    ) -> Tensor:
        """See `Backbone`.

        Context tokens go before the image's own, so in attention they stand with the text: not lent, not
        looked at by the recorder, weighed by gamma.
        """
        assert cond.pooled_prompt_embeds is not None
        rows, device, dtype = latents.shape[0], latents.device, self.dtype
        tokens, ids = with_context(latents.to(dtype), cond, grid)
        guided = self.transformer.config.guidance_embeds
        velocity: Tensor = self.transformer(
            hidden_states=tokens,
            timestep=by_row(sigma, rows, device),
            guidance=by_row(cond.guidance, rows, device) if guided else None,
            pooled_projections=cond.pooled_prompt_embeds.to(device, dtype).expand(rows, -1),
            encoder_hidden_states=cond.prompt_embeds.to(device, dtype).expand(rows, -1, -1),
            txt_ids=torch.zeros(cond.prompt_embeds.shape[1], ids.shape[1], device=device),
            img_ids=ids,
            joint_attention_kwargs={"exchange": exchange},
            return_dict=False,
        )[0]
        return velocity[:, -grid.tokens :].float()

    def sigmas(self, num_inference_steps: int, image_len: int) -> list[float]:
        """See `Backbone`."""
        return make_sigmas(self.pipe.scheduler, num_inference_steps, image_len)

    def encode_pixels(self, pixels: Tensor) -> Tensor:
        """See `Backbone`."""
        return kl_autoencoder.encode_pixels(self.pipe.vae, pixels)

    def decode_tokens(self, tokens: Tensor, grid: LatentGrid) -> Tensor:
        """See `Backbone`."""
        return kl_autoencoder.decode_tokens(self.pipe.vae, tokens, grid)


def with_context(latents: Tensor, cond: Conditioning, grid: LatentGrid) -> tuple[Tensor, Tensor]:
    """(B, N + L, C) tokens and their (N + L, 3) positions.

    Context lies on the same grid, at 1 of the first axis, as Kontext was trained (arXiv 2506.15742).
    """
    ids = image_ids(grid, latents.device)
    if cond.context is None:
        return latents, ids
    context = cond.context.to(latents).expand(latents.shape[0], -1, -1)
    return torch.cat([context, latents], dim=1), torch.cat([image_ids(grid, latents.device, 1.0), ids])
