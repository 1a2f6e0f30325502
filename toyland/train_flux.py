"""Recipe of the transformer: flow matching on the world's pictures and captions, with both text encoders."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from toyland.flow import FluxModules, add_noise
from toyland.latents import pack
from toyland.texts import Texts

OBJECT_WEIGHT = 3.0  # how much more than the scene a token full of object counts when there is no noise


@dataclass(frozen=True)
class FluxRecipe:
    """Velocity prediction at guidance 1: for a guidance-distilled model the scale that changes nothing.

    latents: (N, C, h, w) normalised; instances: (N, H, W) uint8, not zero where things are
    """

    modules: FluxModules
    latents: NDArray[np.float16]
    instances: NDArray[np.uint8]
    texts: Texts
    batch: int = 24

    @property
    def trained(self) -> nn.Module:
        """Transformer, CLIP and T5."""
        return self.modules

    def loss(self, generator: torch.Generator) -> Tensor:
        """Mean squared error of the velocity, things weighing more than the scene."""
        indices = torch.randint(len(self.latents), (self.batch,), generator=generator)
        batch = add_noise(pack(torch.from_numpy(self.latents[indices.numpy()]).float()), generator)
        tokens = self.texts.draw(indices, generator)
        velocity: Tensor = self.modules(batch.noisy, batch.sigma, torch.ones(self.batch), tokens)
        error = (velocity - batch.velocity).pow(2).mean(-1)  # (B, L)
        shares = object_shares(torch.from_numpy(self.instances[indices.numpy()]), error.shape[1])
        # Only where the noise is low: there the object's place is known and the weight shifts no expectation.
        return (error * (1 + OBJECT_WEIGHT * (1 - batch.sigma[:, None]) * shares)).mean()


def object_shares(instances: Tensor, tokens: int) -> Tensor:
    """(B, H, W) instances -> (B, L): how much of each token's square shows a thing."""
    side = int(tokens**0.5)
    return F.adaptive_avg_pool2d((instances > 0).float()[:, None], side).flatten(1)
