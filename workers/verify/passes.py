"""A loaded model's passes at one shape, to be timed and counted."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from workers.addit.backbones.conditioning import Conditioning
from workers.addit.forward import Branches, ExtendTarget
from workers.addit.latents import LatentGrid, draw_noise
from workers.addit.models import Models
from workers.addit.source_memory import StepMemory
from workers.models.families import make_backbone
from workers.models.profiles import ModelProfile

META = torch.device("meta")
SIGMA = 0.9
GAMMA = 1.05
REPEATS = 3


@dataclass(frozen=True)
class Passes:
    """source, target: told to the branches; noise: (1, L, C) on the model's device."""

    branches: Branches
    source: Conditioning
    target: Conditioning
    noise: Tensor

    def plain(self) -> StepMemory:
        """A source pass that lends nothing: the unit u."""
        return self.branches.source(self.noise, SIGMA, self.source, frozenset(), velocity=True)

    def lending(self) -> StepMemory:
        """A source pass that lends every layer."""
        layers = frozenset(self.branches.backbone.layers)
        return self.branches.source(self.noise, SIGMA, self.source, layers, velocity=True)

    def targets(self, rows: int, lent: StepMemory) -> Tensor:
        """A pass of so many targets that attend to the source in every layer: the dearest there is."""
        layers = frozenset(self.branches.backbone.layers)
        told = self.branches.backbone.shown(self.target, self.noise)
        noise = self.noise.expand(rows, -1, -1)
        return self.branches.target(noise, SIGMA, told, ExtendTarget(0, lent, layers, GAMMA))


def passes_at(models: Models, profile: ModelProfile, height: int, width: int) -> Passes:
    """Of a picture of `height` x `width` pixels. To be called in inference mode."""
    grid = LatentGrid.of_image(height, width, models.pipe.vae_scale_factor)
    guidance = next(iter(profile.presets.values())).guidance_scale
    source, target = models.backbone.encode_prompts(profile.canary[:2], (1.0, guidance))
    noise = draw_noise((0,), models.backbone.latent_channels, grid, element=0).to(models.device)
    return Passes(Branches(models.backbone, grid), source, target, noise)


def seconds_of(run: Callable[[], object], device: torch.device, repeats: int = REPEATS) -> float:
    """Median wall clock of a run, after one that is not counted."""
    run()
    return median(_timed(run, device) for _ in range(repeats))


def seconds_in_turns(
    runs: Mapping[int, Callable[[], object]], device: torch.device, repeats: int = REPEATS
) -> dict[int, float]:
    """Median wall clock of each run, after one that is not counted; from the first for which there is no
    memory on they are left out. A round has one of each, so that a slow minute strikes all."""
    able: dict[int, Callable[[], object]] = {}
    for name, run in runs.items():
        try:
            run()
        except torch.OutOfMemoryError:
            torch.cuda.empty_cache()
            break
        able[name] = run
    rounds = [{name: _timed(run, device) for name, run in able.items()} for _ in range(repeats)]
    return {name: median(each[name] for each in rounds) for name in able}


def _timed(run: Callable[[], object], device: torch.device) -> float:
    _settle(device)
    started = time.perf_counter()
    run()
    _settle(device)
    return time.perf_counter() - started


def _settle(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def flops_of_plain(passes: Passes, profile: ModelProfile) -> int:
    """Of one plain pass: counted on the meta device, on a transformer of the same configuration."""
    real: Any = passes.branches.backbone.transformer
    config = {name: value for name, value in real.config.items() if name != "quantization_config"}
    with META:
        bare = type(real).from_config(config)
    backbone = make_backbone(profile.family, SimpleNamespace(transformer=bare), profile.text_len, META)
    counted = Passes(
        Branches(backbone, passes.branches.grid),
        passes.source.to(META),
        passes.target.to(META),
        passes.noise.to(META),
    )
    with torch.inference_mode(), backbone.exchange_processors(), FlopCounterMode(display=False) as counter:
        counted.plain()
    return int(counter.get_total_flops())
