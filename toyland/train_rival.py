"""Recipe of Toyland's supervised rival: InstructPix2Pix (arXiv 2211.09800) on pairs from the world."""

from dataclasses import dataclass

import torch
from diffusers.pipelines.flux.pipeline_flux import FluxPipeline
from torch import Tensor, nn

from toyland.flow import add_noise
from toyland.latents import pack
from toyland.pairs import EncodedPairs
from toyland.rival import Rival, instruction
from toyland.texts import Tokens, tokenize

DROPPED = 0.05
"""Of the batch loses its instruction, as many their source, as many both (section 3.2.1)."""


@dataclass(frozen=True)
class RivalRecipe:
    """instructions: token ids of every pair's order (N, T); nothing: of the empty one (1, T)"""

    rival: Rival
    pairs: EncodedPairs
    instructions: Tokens
    nothing: Tokens
    batch: int = 24

    @property
    def trained(self) -> nn.Module:
        """Transformer, CLIP and T5."""
        return self.rival

    def loss(self, generator: torch.Generator) -> Tensor:
        """Mean squared error of the velocity towards the picture with the subject."""
        rows = torch.randint(len(self.pairs.subjects), (self.batch,), generator=generator)
        latents = torch.from_numpy(self.pairs.latents[:, rows.numpy()]).float()
        source, target = pack(latents[0]), add_noise(pack(latents[1]), generator)
        lost = torch.rand(self.batch, 1, generator=generator) / DROPPED  # 0..1 text, ..2 source, ..3 both
        silent, unseen = (lost < 1) | ((lost >= 2) & (lost < 3)), (lost >= 1) & (lost < 3)
        tokens = Tokens(
            torch.where(silent, self.nothing.clip, self.instructions.clip[rows]),
            torch.where(silent, self.nothing.t5, self.instructions.t5[rows]),
        )
        source = source.masked_fill(unseen[..., None], 0.0)
        velocity = self.rival.velocity(target.noisy, target.sigma, source, tokens)
        return (velocity - target.velocity).pow(2).mean()


def rival_recipe(pipeline: FluxPipeline, pairs: EncodedPairs, batch: int = 24) -> RivalRecipe:
    """For a pipeline that was widened."""
    rival = Rival(pipeline.transformer, pipeline.text_encoder, pipeline.text_encoder_2).train()
    orders = tokenize(pipeline, [instruction(subject) for subject in pairs.subjects])
    return RivalRecipe(rival, pairs, orders, tokenize(pipeline, [""]), batch)
