"""Bytes that one extended and recorded step holds at its fullest, weights left out; counted."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from bench.allocations import peak_bytes
from bench.plain.attending import PlainPass, plain_processors
from bench.plain.schedule import PlainModel
from workers.addit.forward import Branches, ExtendTarget
from workers.addit.latents import LatentGrid
from workers.addit.models import Models
from workers.addit.subject_maps import SubjectRecorder

SIGMA, GAMMA, SUBJECT = 0.8, 1.05, (3,)


def peaks(models: Models, grid: LatentGrid) -> tuple[int, int]:
    """(plain, engine) of a model on the meta device. The engine's has the step's source memory in it."""
    channels = models.pipe.transformer.config.in_channels
    latents = torch.empty(1, grid.tokens, channels, device=models.device)
    with plain_processors(models.pipe.transformer):
        plain = peak_bytes(partial(_plain_step, models, grid, latents))
    with models.backbone.exchange_processors():
        here = peak_bytes(partial(_engine_step, models, grid, latents))
    return plain, here


def _plain_step(models: Models, grid: LatentGrid, latents: Tensor) -> object:
    source, target = models.backbone.encode_prompts(("a", "b"), (1.0, 3.5))
    recorded = frozenset(models.recorded_layers)
    model = PlainModel(models.pipe.transformer, grid, (), source, target, recorded, SUBJECT)
    layers = frozenset(models.backbone.layers)
    at = PlainPass(model.text_len, layers, GAMMA, recorded, SUBJECT)
    return model.velocity(torch.cat([latents, latents]), SIGMA, [source, target], at), at.seen


def _engine_step(models: Models, grid: LatentGrid, latents: Tensor) -> object:
    source, target = models.backbone.encode_prompts(("a", "b"), (1.0, 3.5))
    branches, layers = Branches(models.backbone, grid), frozenset(models.backbone.layers)
    recorder = SubjectRecorder(models.recorded_layers, [SUBJECT], target.text_len)
    lent = branches.source(latents, SIGMA, source, layers, velocity=True)
    exchange = ExtendTarget(0, lent, layers, GAMMA, recorders=(recorder,))
    return branches.target(latents, SIGMA, target, exchange), lent, recorder
