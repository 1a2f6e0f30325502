"""SDEdit (Meng et al., arXiv 2108.01073): noise the source, draw on from there to the prompt."""

from __future__ import annotations

from dataclasses import dataclass

from evaluation.methods.flow_run import TARGET_ELEMENT, flow_run
from evaluation.methods.method import Edited, Workbench
from evaluation.suites.items import Item
from workers.addit.config import PUBLISHED_STEPS
from workers.addit.latents import add_noise
from workers.addit.localizers import Picture


@dataclass(frozen=True)
class SDEdit:
    """strength: share of the steps that are taken, 0..1; the paper does not give its own"""

    strength: float = 0.75
    guidance: float = 3.5
    steps: int = PUBLISHED_STEPS

    def prepare(self, bench: Workbench) -> None:
        """See `Method`."""
        assert bench.models

    def seeded(self, item: Item) -> bool:
        """See `Method`."""
        return True

    def edit(self, bench: Workbench, item: Item, source: Picture, seed: int) -> Edited:
        """See `Method`."""
        with flow_run(bench.models, source, self.steps) as run:
            first = round(self.steps * (1 - self.strength))
            noise = run.noise(seed, TARGET_ELEMENT)
            latents = add_noise(run.clean(source), noise, run.sigmas[first])
            cond = bench.models.backbone.encode_prompts([item.prompt], [self.guidance])[0]
            for sigma, lower in zip(run.sigmas[first:], run.sigmas[first + 1 :], strict=False):
                latents = latents + (lower - sigma) * run.velocity(latents, sigma, cond)
            return run.edited(latents)
