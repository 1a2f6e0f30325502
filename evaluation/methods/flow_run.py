"""What the rivals on the base model share: geometry, noise levels, prompts, plain passes and their count."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from evaluation.methods.method import Edited
from workers.addit.backbones.conditioning import Conditioning
from workers.addit.codec import decode_picture, encode_picture
from workers.addit.forward import Branches, ExtendTarget
from workers.addit.latents import LatentGrid, draw_noise
from workers.addit.localizers import Picture
from workers.addit.models import Models

SOURCE_ELEMENT, TARGET_ELEMENT = 0, 1
"""Of a seed's draw of noise: the source's and the target's, as Add-it has them."""


@dataclass(frozen=True)
class FlowRun:
    """One edit by the base model at `steps` noise levels."""

    models: Models
    branches: Branches
    sigmas: list[float]

    def velocity(self, latents: Tensor, sigma: float, cond: Conditioning) -> Tensor:
        """(B, L, C), of a pass that exchanges nothing."""
        return self.branches.target(latents, sigma, cond, ExtendTarget(0, None, frozenset(), 1.0))

    def velocities(
        self, latents: Sequence[Tensor], sigma: float, conds: Sequence[Conditioning]
    ) -> list[Tensor]:
        """(1, L, C) of several passes, in a batch where the family embeds its guidance: faster a row."""
        both = together(conds)
        if both is None:
            return [self.velocity(own, sigma, cond) for own, cond in zip(latents, conds, strict=True)]
        return list(self.velocity(torch.cat([*latents]), sigma, both)[:, None])

    def clean(self, picture: Picture) -> Tensor:
        """(1, L, C) tokens of the picture."""
        return encode_picture(self.models, picture)

    def noise(self, seed: int, element: int) -> Tensor:
        """(1, L, C)."""
        channels = self.models.backbone.latent_channels
        return draw_noise((seed,), channels, self.branches.grid, element).to(self.models.device)

    def edited(self, latents: Tensor) -> Edited:
        """The picture of clean tokens (1, L, C), and what it cost."""
        picture = decode_picture(self.models, latents, self.branches.grid)
        return Edited(picture, None, self.branches.count.total)


def together(conds: Sequence[Conditioning]) -> Conditioning | None:
    """A row for each; None where classifier-free guidance or a context needs passes of its own."""
    pooled = [cond.pooled_prompt_embeds for cond in conds if cond.pooled_prompt_embeds is not None]
    alone = any(cond.negative is not None or cond.context is not None for cond in conds)
    if alone or len(pooled) < len(conds):
        return None
    guidance = torch.tensor([float(cond.guidance) for cond in conds], device=conds[0].prompt_embeds.device)
    embeds = torch.cat([cond.prompt_embeds for cond in conds])
    return Conditioning(embeds, torch.cat(pooled), guidance)


@contextmanager
def flow_run(models: Models, source: Picture, steps: int) -> Iterator[FlowRun]:
    """A run over pictures of the source's size, without gradients, the transformer's attention borrowed."""
    height, width = source.shape[:2]
    grid = LatentGrid.of_image(height, width, models.pipe.vae_scale_factor)
    with torch.inference_mode(), models.backbone.exchange_processors():
        sigmas = models.backbone.sigmas(steps, grid.tokens)
        yield FlowRun(models, Branches(models.backbone, grid), sigmas)
