"""Recipe of the transformer: flow matching on the world's pictures and captions, with both text encoders."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from toyland.encoded import Encoded, halve, tokens_of
from toyland.flow import FluxModules, add_noise
from toyland.texts import Texts

OBJECT_WEIGHT = 6.0  # how much more than the scene a token full of object counts when there is no noise


@dataclass(frozen=True)
class FluxRecipe:
    """Velocity prediction at guidance 1: for a guidance-distilled model the scale that changes nothing.

    batch: pictures of full size, or twice as many of half size
    half_share: of the steps learn from halved latents, a quarter of the tokens at twice the spacing: most of
        what is to be learned, at a quarter of the price
    """

    modules: FluxModules
    encoded: Encoded
    texts: Texts
    batch: int = 32
    half_share: float = 0.0

    @property
    def trained(self) -> nn.Module:
        """Transformer, CLIP and T5."""
        return self.modules

    def loss(self, generator: torch.Generator) -> Tensor:
        """Mean squared error of the velocity, things weighing more than the scene."""
        halved = bool(torch.rand((), generator=generator) < self.half_share)
        count = 2 * self.batch if halved else self.batch
        indices, latents, shares = self.encoded.draw(count, generator)
        if halved:
            latents, shares = halve(latents, shares)
        clean, shares = tokens_of(latents, shares)
        batch = add_noise(clean, generator)
        tokens = self.texts.draw(indices, generator)
        velocity: Tensor = self.modules(batch.noisy, batch.sigma, torch.ones(count), tokens)
        error = (velocity - batch.velocity).pow(2).mean(-1)  # (B, L)
        # Only where the noise is low: there the object's place is known and the weight shifts no expectation.
        return (error * (1 + OBJECT_WEIGHT * (1 - batch.sigma[:, None]) * shares)).mean()
