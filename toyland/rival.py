"""A small InstructPix2Pix (arXiv 2211.09800) on a rectified flow: FLUX's transformer whose input tokens hold
the source's latents beside the noisy ones, told an instruction."""

import torch
from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel
from diffusers.pipelines.flux.pipeline_flux import FluxPipeline
from torch import Tensor

from toyland.flow import FluxModules
from toyland.phrases import with_article
from toyland.texts import Tokens


def instruction(subject: str) -> str:
    """What it is told: the closed vocabulary has no verb, and it can do nothing but add."""
    return with_article(subject)


def widen(pipeline: FluxPipeline) -> FluxPipeline:
    """The pipeline with a transformer that takes twice the channels: what it knows it keeps, what is new it
    begins by not seeing, as InstructPix2Pix began from Stable Diffusion."""
    narrow = pipeline.transformer
    channels = int(narrow.config["in_channels"])
    doubled = dict(narrow.config) | {"in_channels": 2 * channels, "out_channels": channels}
    doubled.pop("_use_default_values", None)  # of a new model: it would undo `out_channels`
    wide = FluxTransformer2DModel.from_config(doubled)
    weights = narrow.state_dict()
    into = weights["x_embedder.weight"]
    weights["x_embedder.weight"] = torch.cat([into, torch.zeros_like(into)], dim=1)
    wide.load_state_dict(weights)
    pipeline.register_modules(transformer=wide)
    return pipeline


class Rival(FluxModules):
    """The three networks; `source` (B, L, D) are the source's clean tokens, zeros where it is not shown."""

    def velocity(self, noisy: Tensor, sigma: Tensor, source: Tensor, tokens: Tokens) -> Tensor:
        """(B, L, D) at noisy tokens (B, L, D) and noise levels (B,), at guidance 1."""
        shown = torch.cat([noisy, source], dim=-1)
        found: Tensor = self(shown, sigma, torch.ones(len(noisy)), tokens)
        return found

    def guided(
        self, noisy: Tensor, sigma: float, source: Tensor, tokens: Tokens, text: float, picture: float
    ) -> Tensor:
        """(1, L, D): from knowing nothing, `picture` times the way to knowing the source, then `text` times
        the way to being told as well. tokens: of the instruction, then of nothing."""
        sources = torch.cat([torch.zeros_like(source), source, source])
        told = Tokens(*(ids[[1, 1, 0]] for ids in (tokens.clip, tokens.t5)))
        levels = torch.full((3,), sigma)
        nothing, seen, both = self.velocity(noisy.expand(3, -1, -1), levels, sources, told)[:, None]
        guided: Tensor = nothing + picture * (seen - nothing) + text * (both - seen)
        return guided
