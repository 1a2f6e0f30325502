"""The golden cases: small random weights and the tensors that an independent implementation gave for them."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import torch
from diffusers import FlowMatchEulerDiscreteScheduler, FluxTransformer2DModel
from safetensors.torch import load_file
from torch import Tensor

from workers.addit.backbones.backbone import Backbone
from workers.addit.backbones.conditioning import Conditioning
from workers.addit.backbones.flux import FluxBackbone
from workers.addit.blending import Blend
from workers.addit.config import AdditConfig
from workers.addit.denoise import Denoised, denoise, replay
from workers.addit.extension import extension_plan
from workers.addit.forward import Branches
from workers.addit.latents import LatentGrid, draw_noise
from workers.addit.localizers import Search, locate
from workers.addit.memory_tiers import DeviceTier
from workers.addit.schedule import make_sigmas
from workers.addit.shared_passes import Pays, share_nothing
from workers.addit.source_memory import SourceMemories, SourceMemory
from workers.addit.sources import INVERSIONS, SourcePath, SourceRun, generated, inverted, noised
from workers.addit.subject_maps import SubjectRecorder
from workers.addit.targets import Locate, Targets, Unwanted, all_wanted

FOLDER = Path(__file__).parents[2] / "data" / "golden"
CASES: dict[str, Any] = json.loads((FOLDER / "cases.json").read_text())
GRID = LatentGrid(16, 16)
CHANNELS = 4
CPU = torch.device("cpu")


@cache
def transformer(device: torch.device = CPU) -> FluxTransformer2DModel:
    model = FluxTransformer2DModel.from_config(json.loads((FOLDER / "transformer.json").read_text()))
    model.load_state_dict(load_file(FOLDER / "transformer.safetensors"))
    return model.to(device).eval().requires_grad_(False)


def backbone(device: torch.device = CPU) -> FluxBackbone:
    """FLUX around the golden transformer; prompts and pictures are recorded."""
    return FluxBackbone(cast(Any, SimpleNamespace(transformer=transformer(device))), 0, device)


golden_backbone = backbone


def sigmas(num_inference_steps: int = CASES["steps"]) -> list[float]:
    return make_sigmas(
        FlowMatchEulerDiscreteScheduler(**CASES["scheduler"]), num_inference_steps, GRID.tokens
    )


def conditioning(which: str, guidance: float) -> Conditioning:
    prompts = load_file(FOLDER / "prompts.safetensors")
    return Conditioning(prompts[f"prompt_embeds_{which}"][None], prompts[f"pooled_{which}"][None], guidance)


def expected(case: str) -> dict[str, Tensor]:
    return load_file(FOLDER / f"{case}.safetensors")


def config(case: str) -> AdditConfig:
    knobs = CASES["cases"][case]
    return AdditConfig(
        guidance_scale=knobs["guidance"][1],
        source_guidance_scale=knobs["guidance"][0],
        structure_transfer_step=knobs["structure_transfer_step"],
        extended_scale=knobs["extended_scale"],
        blend_steps=tuple(knobs["blend_steps"]),
        localizer="attention",
        accumulate="reference",
        inversion="fixed_point" if knobs.get("path") == "fixed_point" else "noising",
    )


def memory(nbytes: int = 2**30, device: torch.device = CPU) -> SourceMemory:
    """An empty memory of one source."""
    return SourceMemory(SourceMemories([DeviceTier(nbytes)], device))


def source_path(
    case: str, branches: Branches, config: AdditConfig, known: SourceMemory, whole: bool = False
) -> SourcePath:
    knobs, device = CASES["cases"][case], branches.backbone.transformer.device
    noise = draw_noise([knobs["seed_source"]], CHANNELS, GRID, element=0).to(device)
    cond = conditioning("source", config.source_guidance_scale).to(device)
    plan = extension_plan(branches.backbone, config)
    source = SourceRun(branches, sigmas(), cond, known, plan, lambda: None)
    if knobs["mode"] == "generated":
        return generated(source, noise)
    x0 = expected(case)["source_x0"][None].to(device)
    if config.inversion == "noising":
        return noised(source, x0, noise)
    first = 0 if whole else config.structure_transfer_step
    return inverted(source, x0, INVERSIONS[config.inversion], first)


@torch.inference_mode()
def run(
    case: str,
    config: AdditConfig,
    seeds: list[int] | None = None,
    known: SourceMemory | None = None,
    resume: Blend | None = None,
    find: Locate | None = None,
    guidance: Tensor | None = None,
    device: torch.device = CPU,
    unwanted: Unwanted = all_wanted,
    backbone: Backbone | None = None,
    pays: Pays = share_nothing,
) -> tuple[Denoised, Branches]:
    """A golden case from end to end.

    known: what earlier runs learnt of its source; guidance: one a seed, instead of the config's
    """
    branches = Branches(backbone or golden_backbone(device), GRID, pays=pays)
    noise = draw_noise(seeds or [CASES["cases"][case]["seed_target"]], CHANNELS, GRID, element=1).to(device)
    cond = conditioning("target", config.guidance_scale).to(device)
    cond = cond if guidance is None else replace(cond, guidance=guidance)
    recorder = SubjectRecorder(CASES["recorded_layers"], [[CASES["subject_token_index"]]], cond.text_len)
    with branches.backbone.exchange_processors():
        path = source_path(case, branches, config, known or memory(device=device))
        targets = Targets(
            branches=branches,
            path=path,
            cond=cond,
            sigmas=sigmas(),
            config=config,
            layers_at=extension_plan(branches.backbone, config),
            recorder=recorder,
            locate=find or (lambda maps, x0: locate("attention", maps, lambda row: no_picture(), [Search()])),
            tick=lambda: None,
            unwanted=unwanted,
        )
        done = replay(targets, resume) if resume else denoise(targets, noise)
    return done, branches


def no_picture() -> Any:
    raise AssertionError("the attention localizer looks at no picture")
