"""Recipe of the transformer: flow matching on the world's pictures and captions, with both text encoders."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from toyland.encoded import Encoded
from toyland.flow import FluxModules, add_noise
from toyland.parts import Overheard, PartReader, part_error
from toyland.texts import Texts

OBJECT_WEIGHT = 6.0  # how much more than the scene a token full of object counts when there is no noise
PART_WEIGHT = 0.02  # of what the inner tokens say about parts


@dataclass(frozen=True)
class FluxRecipe:
    """Velocity prediction at guidance 1: for a guidance-distilled model the scale that changes nothing.

    batch: pictures of full size, or twice as many of half size
    reader: of the tokens `overheard` inside the transformer; it is not kept
    half_share: of the steps learn from halved latents, a quarter of the tokens at twice the spacing: most of
        what is to be learned, at a quarter of the price
    """

    modules: FluxModules
    reader: PartReader
    overheard: Overheard
    encoded: Encoded
    texts: Texts
    batch: int = 32
    half_share: float = 0.0

    @property
    def trained(self) -> nn.Module:
        """Transformer, CLIP and T5, and the reader."""
        return nn.ModuleList([self.modules, self.reader])

    def loss(self, generator: torch.Generator) -> Tensor:
        """Mean squared error of the velocity, things weighing more than the scene; and of the parts."""
        halved = bool(torch.rand((), generator=generator) < self.half_share)
        drawn = self.encoded.draw(2 * self.batch if halved else self.batch, generator)
        drawn = drawn.halved() if halved else drawn
        batch = add_noise(drawn.tokens, generator)
        tokens = self.texts.draw(drawn.indices, generator)
        velocity: Tensor = self.modules(batch.noisy, batch.sigma, torch.ones(len(drawn.indices)), tokens)
        error = (velocity - batch.velocity).pow(2).mean(-1)  # (B, L)
        # Only where the noise is low: there the object's place is known and the weight shifts no expectation.
        clearness = 1 - batch.sigma
        weighted = error * (1 + OBJECT_WEIGHT * clearness[:, None] * drawn.shares.flatten(1))
        said = self.reader(self.overheard.heard)
        return weighted.mean() + PART_WEIGHT * part_error(said, drawn.parts.flatten(1, 2), clearness)
