"""Prompt-to-Prompt (Hertz et al., arXiv 2208.01626), its refinement by new words, on a rectified flow.

Source and target are denoised side by side from the same noise. For a share of the steps the target's image
tokens look at the words that both prompts have in common, and at each other, as the source's do; new words
they look at by themselves. A picture is inverted first, as the authors do for real ones.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from torch import Tensor

from evaluation.errors import EvaluationError
from evaluation.methods.flow_run import SOURCE_ELEMENT, FlowRun, flow_run
from evaluation.methods.injection import InjectingFlux, InjectMaps, KeepMaps
from evaluation.methods.method import Edited, Workbench
from evaluation.methods.word_alignment import common_tokens
from evaluation.suites.items import Item
from workers.addit.backbones.conditioning import Conditioning
from workers.addit.backbones.flux import FluxBackbone
from workers.addit.config import PUBLISHED_STEPS, Inversion
from workers.addit.localizers import Picture
from workers.addit.models import Models
from workers.addit.processor import Exchange
from workers.addit.source_memory import SourceKey, SourceMemory
from workers.addit.sources import INVERSIONS, SourcePath, SourceRun, inverted, noised


@dataclass(frozen=True)
class PromptToPrompt:
    """cross_share, self_share: of the steps, in which common words and the image are looked at as in the
    source (the authors' 0.8 and 0.4); inversion: of a picture; source_guidance: of a source that is drawn"""

    cross_share: float = 0.8
    self_share: float = 0.4
    guidance: float = 3.5
    source_guidance: float = 3.5
    inversion: Inversion = "euler"
    steps: int = PUBLISHED_STEPS

    def prepare(self, bench: Workbench) -> None:
        """See `Method`. FLUX.1 alone: other families mix their texts differently."""
        if not isinstance(bench.models.backbone, FluxBackbone):
            raise EvaluationError(f"Prompt-to-Prompt is written for FLUX.1, not for {bench.profile.name}")

    def seeded(self, item: Item) -> bool:
        """See `Method`: an inverted picture has its own noise."""
        return item.image is None or self.inversion == "noising"

    def edit(self, bench: Workbench, item: Item, source: Picture, seed: int) -> Edited:
        """See `Method`."""
        models = with_injection(bench.models)
        drawn = item.image is None
        with flow_run(models, source, self.steps) as run:
            guidances = (self.source_guidance if drawn else 1.0, self.guidance)
            conds = models.backbone.encode_prompts((item.source_prompt, item.prompt), guidances)
            noise = run.noise(seed, SOURCE_ELEMENT)
            memory = bench.memories.open(self._key(models, item, source, seed))
            known = bool(memory.path)
            path = None if drawn else self._path(run, memory, source, noise, conds[0])
            words = common_tokens(models.pipe.tokenizer_2, item.source_prompt, item.prompt, models.text_len)
            start = noise if path is None else path.latents(0)
            made = run.edited(self._denoise(run, start, path, conds, words))
            return replace(made, reused=known)

    def _key(self, models: Models, item: Item, source: Picture, seed: int) -> SourceKey:
        """What an inversion depends on; it is nobody else's, since it goes all the way up."""
        return SourceKey(
            owner=type(self).__name__,
            model=models.identity,
            picture=hashlib.sha256(source.tobytes()).hexdigest(),
            prompt=item.source_prompt,
            seed=seed if self.inversion == "noising" else 0,
            path=self.inversion,
            guidance=1.0,
            steps=self.steps,
            size=(source.shape[0], source.shape[1]),
        )

    def _path(
        self, run: FlowRun, memory: SourceMemory, picture: Picture, noise: Tensor, cond: Conditioning
    ) -> SourcePath:
        """Noisy latents of a picture at every step."""
        source = SourceRun(run.branches, run.sigmas, cond, memory, lambda step: frozenset(), lambda: None)
        clean = source.known(source.clean) if source.clean in memory.path else run.clean(picture)
        if self.inversion == "noising":
            return noised(source, clean, noise)
        return inverted(source, clean, INVERSIONS[self.inversion], 0)

    def _denoise(
        self,
        run: FlowRun,
        latents: Tensor,
        path: SourcePath | None,
        conds: list[Conditioning],
        words: list[tuple[int, int]],
    ) -> Tensor:
        """Clean tokens (1, L, C) of the target; a source without a path takes its own steps beside it."""
        beside = latents
        for step in range(self.steps):
            sigma, rise = run.sigmas[step], run.sigmas[step + 1] - run.sigmas[step]
            if step >= self.steps * max(self.cross_share, self.self_share):
                latents = latents + rise * run.velocity(latents, sigma, conds[1])
                continue
            kept = KeepMaps()
            source = beside if path is None else path.latents(step)
            beside = beside + rise * velocity(run, source, sigma, conds[0], kept)
            common = words if step < self.steps * self.cross_share else []
            image = step < self.steps * self.self_share
            exchange = InjectMaps(kept, common, conds[1].text_len, image)
            latents = latents + rise * velocity(run, latents, sigma, conds[1], exchange)
        return latents


def velocity(run: FlowRun, latents: Tensor, sigma: float, cond: Conditioning, exchange: Exchange) -> Tensor:
    """(1, L, C), counted."""
    run.branches.count.target += 1
    return run.models.backbone.velocity(latents, sigma, cond, run.branches.grid, exchange)


def with_injection(models: Models) -> Models:
    """The same weights behind attention that can inject."""
    backbone = models.backbone
    assert isinstance(backbone, FluxBackbone)
    fields = (backbone.pipe, backbone.text_len, backbone.device, backbone.shows_source)
    return replace(models, backbone=InjectingFlux(*fields))
