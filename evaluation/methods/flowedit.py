"""FlowEdit (Kulikov et al., arXiv 2412.08629): an ordinary differential equation straight from source to
target, without inversion (algorithm 1)."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from evaluation.methods.flow_run import FlowRun, flow_run
from evaluation.methods.method import Edited, Workbench
from evaluation.suites.items import Item
from workers.addit.backbones.conditioning import Conditioning
from workers.addit.latents import PATCH, add_noise, pack
from workers.addit.localizers import Picture


@dataclass(frozen=True)
class FlowEdit:
    """steps: T; first: n_max, steps before the end from which on the way is followed; last: n_min, from which
    on the target is only denoised; guidances as published for FLUX.1-dev"""

    steps: int = 28
    first: int = 24
    last: int = 0
    source_guidance: float = 1.5
    guidance: float = 5.5

    def prepare(self, bench: Workbench) -> None:
        """See `Method`."""
        assert bench.models

    def seeded(self, item: Item) -> bool:
        """See `Method`."""
        return True

    def edit(self, bench: Workbench, item: Item, source: Picture, seed: int) -> Edited:
        """See `Method`."""
        with flow_run(bench.models, source, self.steps) as run:
            prompts, guidances = (item.source_prompt, item.prompt), (self.source_guidance, self.guidance)
            conds = bench.models.backbone.encode_prompts(prompts, guidances)
            return run.edited(self._follow(run, run.clean(source), conds, seed))

    def _follow(
        self, run: FlowRun, clean: torch.Tensor, conds: list[Conditioning], seed: int
    ) -> torch.Tensor:
        """Clean tokens (1, L, C) of the target."""
        generator = torch.Generator().manual_seed(seed)
        edited = clean
        for step in range(self.steps - self.first, self.steps - self.last):
            sigma, rise = run.sigmas[step], run.sigmas[step + 1] - run.sigmas[step]
            source = add_noise(clean, self._noise(run, generator), sigma)
            before, after = run.velocities((source, edited + source - clean), sigma, conds)
            edited = edited + rise * (after - before)
        if self.last == 0:
            return edited
        noisy = edited + add_noise(clean, self._noise(run, generator), run.sigmas[-1 - self.last]) - clean
        for step in range(self.steps - self.last, self.steps):
            rise = run.sigmas[step + 1] - run.sigmas[step]
            noisy = noisy + rise * run.velocity(noisy, run.sigmas[step], conds[1])
        return noisy

    def _noise(self, run: FlowRun, generator: torch.Generator) -> torch.Tensor:
        """(1, L, C), drawn anew at every step."""
        grid = run.branches.grid
        shape = (1, run.models.backbone.latent_channels, PATCH * grid.height, PATCH * grid.width)
        return pack(torch.randn(shape, generator=generator)).to(run.models.device)
