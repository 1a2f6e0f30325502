"""What a branch is told, in the transformer's own terms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

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
        return self._with_each(lambda part: part.to(device))

    def of(self, rows: Sequence[int]) -> Conditioning:
        """For some rows alone of those it was for."""
        return self._with_each(lambda part: part if part.shape[:1].numel() == 1 else part[list(rows)])

    def _with_each(self, change: Callable[[Tensor], Tensor]) -> Conditioning:
        """With `change` made to every tensor."""
        names = ("prompt_embeds", "pooled_prompt_embeds", "guidance", "context")
        parts = {name: getattr(self, name) for name in names}
        changed: Any = {name: change(part) for name, part in parts.items() if isinstance(part, Tensor)}
        negative = None if self.negative is None else self.negative._with_each(change)
        return replace(self, **changed, negative=negative)


def by_row(value: float | Tensor, rows: int, device: torch.device) -> Tensor:
    """(B,), of one value for all rows or of one for each."""
    if isinstance(value, Tensor):
        return value.to(device).expand(rows)
    return torch.full((rows,), value, device=device)
