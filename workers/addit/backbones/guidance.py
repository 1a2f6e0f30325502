"""Classifier-free guidance (arXiv 2207.12598) in one pass: rows told the prompt, and as many told nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from workers.addit.backbones.conditioning import Conditioning, by_row
from workers.addit.processor import Attending, Exchange

Pass = Callable[[Tensor, float | Tensor, Conditioning, Exchange], Tensor]
"""One pass of a transformer: latents (B, L, C), noise level, conditioning, exchange; velocity (B, L, C)."""


@dataclass(frozen=True)
class GuidedExchange:
    """Exchange of a pass over 2B rows: `told` serves the first half, `untold` the second; both give
    as many and as wide keys."""

    told: Exchange
    untold: Exchange | None

    @property
    def step(self) -> int | None:
        """That of the first half, for who counts steps from outside."""
        return getattr(self.told, "step", None)

    def __call__(self, layer: str, query: Tensor, key: Tensor, value: Tensor) -> Attending:
        first, second = zip(query.chunk(2), key.chunk(2), value.chunk(2), strict=True)
        told = self.told(layer, *first)
        untold = self.untold(layer, *second) if self.untold else second
        query, key, value = (torch.cat(pair) for pair in zip(told, untold, strict=True))
        return query, key, value


def is_guided(cond: Conditioning) -> bool:
    """Whether a second pass is worth anything: at scale 1 the empty prompt cancels out."""
    return cond.negative is not None and bool(torch.as_tensor(cond.guidance).gt(1).any())


def guided_velocity(
    run: Pass,
    latents: Tensor,
    sigma: float | Tensor,
    cond: Conditioning,
    exchange: Exchange,
    unconditional: Exchange | None,
) -> Tensor:
    """(B, L, C) by one pass, of B rows where guidance is worth nothing and else of 2B. See `Backbone`."""
    if not is_guided(cond):
        return run(latents, sigma, cond, exchange)
    rows = latents.shape[0]
    both = run(
        torch.cat([latents, latents]),
        twice(sigma, rows),
        told_and_untold(cond, rows),
        GuidedExchange(exchange, unconditional),
    )
    return guide(both, cond.guidance)


def told_and_untold(cond: Conditioning, rows: int) -> Conditioning:
    """That of 2 * `rows` rows: first those told the prompt, then those told nothing."""
    negative, pooled = cond.negative, cond.pooled_prompt_embeds
    assert negative is not None
    embeds = two_rows(cond.prompt_embeds, negative.prompt_embeds, rows)
    if pooled is not None:
        assert negative.pooled_prompt_embeds is not None
        pooled = two_rows(pooled, negative.pooled_prompt_embeds, rows)
    guidance = twice(cond.guidance, rows)
    return replace(cond, prompt_embeds=embeds, pooled_prompt_embeds=pooled, guidance=guidance, negative=None)


def two_rows(told: Tensor, untold: Tensor, rows: int) -> Tensor:
    """(2 * rows, …) of two (1 or rows, …): one for every told row, then the other for every untold one."""
    return torch.cat([told.expand(rows, *told.shape[1:]), untold.expand(rows, *untold.shape[1:])])


def guide(velocity: Tensor, scale: float | Tensor) -> Tensor:
    """(B, L, C) of (2B, L, C): from the untold velocity, `scale` (or (B,)) times the way to the told one."""
    told, untold = velocity.chunk(2)
    return untold + by_row(scale, told.shape[0], told.device)[:, None, None] * (told - untold)


def twice(value: float | Tensor, rows: int) -> float | Tensor:
    """A number, or one a row (1 or `rows`,), for both halves."""
    return value.expand(rows).repeat(2) if isinstance(value, Tensor) else value
