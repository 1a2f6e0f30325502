"""Recipe of guidance distillation: one call learns to do what classifier-free guidance does in two."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from toyland.encoded import Encoded
from toyland.flow import FluxModules, add_noise
from toyland.texts import Texts, Tokens

LARGEST_GUIDANCE = 5.0


@dataclass(frozen=True)
class GuidanceRecipe:
    """The student at guidance g imitates `without + g * (with - without)` of a frozen teacher."""

    student: FluxModules
    teacher: FluxModules
    encoded: Encoded
    texts: Texts
    batch: int = 20

    @property
    def trained(self) -> nn.Module:
        """The transformer alone: captions keep their meaning."""
        transformer: nn.Module = self.student.transformer
        return transformer

    def loss(self, generator: torch.Generator) -> Tensor:
        """Mean squared difference between student and guided teacher."""
        drawn = self.encoded.draw(self.batch, generator)
        batch = add_noise(drawn.tokens, generator)
        tokens = self.texts.draw(drawn.indices, generator, empty_share=0)
        guidance = 1 + (LARGEST_GUIDANCE - 1) * torch.rand(self.batch, generator=generator)
        target = self._guided(batch.noisy, batch.sigma, guidance, tokens)
        velocity: Tensor = self.student(batch.noisy, batch.sigma, guidance, tokens)
        return (velocity - target).pow(2).mean()

    @torch.no_grad()
    def _guided(self, noisy: Tensor, sigma: Tensor, guidance: Tensor, tokens: Tokens) -> Tensor:
        """Classifier-free guidance by the teacher: both calls as one batch."""
        empty = self.texts.empty
        both = Tokens(
            torch.cat([tokens.clip, empty.clip.expand_as(tokens.clip)]),
            torch.cat([tokens.t5, empty.t5.expand_as(tokens.t5)]),
        )
        unguided = torch.ones(2 * len(noisy))
        velocity: Tensor = self.teacher(noisy.repeat(2, 1, 1), sigma.repeat(2), unguided, both)
        with_caption, without = velocity.chunk(2)
        return without + guidance[:, None, None] * (with_caption - without)
