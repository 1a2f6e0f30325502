"""What a branch is told, in the transformer's own terms."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Conditioning:
    """One branch's prompt and guidance.

    prompt_embeds: (1, T, E); pooled_prompt_embeds: (1, P), None where the family takes none
    guidance: embedded by the transformer; the scale of classifier-free guidance where `negative` is given
    negative: the empty prompt, for classifier-free guidance
    context: (1, N, C) clean image tokens that are shown beside the prompt
    """

    prompt_embeds: Tensor
    pooled_prompt_embeds: Tensor | None
    guidance: float
    negative: Conditioning | None = None
    context: Tensor | None = None

    @property
    def text_len(self) -> int:
        """Tokens before the image's own in attention: the text's, then those of the context."""
        shown = 0 if self.context is None else self.context.shape[1]
        return self.prompt_embeds.shape[1] + shown
