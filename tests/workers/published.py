"""Pipelines at their full published size on the meta device: shapes without weights.

Configurations come from the checkpoints and from diffusers' conversion scripts; text encoders are left out.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    AutoencoderKLFlux2,
    FlowMatchEulerDiscreteScheduler,
    Flux2KleinPipeline,
    Flux2Pipeline,
    Flux2Transformer2DModel,
    FluxKontextPipeline,
    FluxPipeline,
    FluxTransformer2DModel,
    SD3Transformer2DModel,
    StableDiffusion3Pipeline,
)

DATA = Path(__file__).parents[1] / "data"
PUBLISHED: dict[str, Any] = json.loads((DATA / "flux" / "published.json").read_text()) | json.loads(
    (DATA / "published" / "families.json").read_text()
)
META = torch.device("meta")
CLASSES: dict[str, tuple[Any, Any, Any]] = {
    "flux": (FluxPipeline, FluxTransformer2DModel, AutoencoderKL),
    "kontext": (FluxKontextPipeline, FluxTransformer2DModel, AutoencoderKL),
    "flux2": (Flux2Pipeline, Flux2Transformer2DModel, AutoencoderKLFlux2),
    "klein": (Flux2KleinPipeline, Flux2Transformer2DModel, AutoencoderKLFlux2),
    "sd3": (StableDiffusion3Pipeline, SD3Transformer2DModel, AutoencoderKL),
}


def pipeline(name: str, family: str) -> Any:
    """The pipeline of a published model, without text encoders, in bfloat16."""
    whole, transformer, autoencoder = CLASSES[family]
    config = PUBLISHED[name]
    with META:
        parts = {
            "transformer": transformer.from_config(config["transformer"]).bfloat16().eval(),
            "vae": autoencoder.from_config(config["vae"]).bfloat16().eval(),
        }
    absent = {key for key in whole._get_signature_keys(whole)[0] if key not in (*parts, "scheduler")}
    scheduler = FlowMatchEulerDiscreteScheduler(**config["scheduler"])
    return whole(**parts, scheduler=scheduler, **dict.fromkeys(absent))
