"""What a branch is told, in the transformer's own terms."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class Conditioning:
    """Prompt and guidance, one for all rows or one for each of B.

    prompt_embeds: (1 or B, T, E); pooled_prompt_embeds: (1 or B, P), None where the family takes none
    guidance: a number or (B,); embedded by the transformer, or the scale of classifier-free guidance where
        `negative` is given
    negative: the empty prompt, for classifier-free guidance
    context: (1 or B, N, C) clean image tokens that are shown beside the prompt
    """

    prompt_embeds: Tensor
    pooled_prompt_embeds: Tensor | None
    guidance: float | Tensor
    negative: Conditioning | None = None
    context: Tensor | None = None

    @property
    def text_len(self) -> int:
        """Tokens before the image's own in attention: the text's, then those of the context."""
        shown = 0 if self.context is None else self.context.shape[1]
        return self.prompt_embeds.shape[1] + shown

    def to(self, device: torch.device) -> Conditioning:
        """The same on another device."""
        pooled, negative, context = self.pooled_prompt_embeds, self.negative, self.context
        guidance = self.guidance
        return replace(
            self,
            prompt_embeds=self.prompt_embeds.to(device),
            pooled_prompt_embeds=None if pooled is None else pooled.to(device),
            guidance=guidance.to(device) if isinstance(guidance, Tensor) else guidance,
            negative=None if negative is None else negative.to(device),
            context=None if context is None else context.to(device),
        )


def by_row(value: float | Tensor, rows: int, device: torch.device) -> Tensor:
    """(B,), of one value for all rows or of one for each."""
    if isinstance(value, Tensor):
        return value.to(device).expand(rows)
    return torch.full((rows,), value, device=device)
