"""What each model needs on a card under each memory preset, from its real configuration, without its weights.

`python -m bench.memory [model …]`. One 1024 x 1024 insertion with one variation: the texts encoded, a target
step attending to its source in every layer, the picture decoded. The fullest of the three counts, with the
weights that lie on the card meanwhile and SAM-2. See `bench.allocations` for what is not counted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Annotated, Any

import torch
import typer
from hydra.utils import instantiate
from omegaconf import OmegaConf
from rich.console import Console
from torch import nn
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    Qwen3Config,
    Qwen3ForCausalLM,
    T5Config,
    T5EncoderModel,
)

from bench.allocations import peak_bytes
from bench.figures import Figures, to_table
from bench.weights import grouped_bytes, weight_bytes
from tests.workers.published import META, PUBLISHED, pipeline
from workers.addit.backbones.backbone import Backbone
from workers.addit.backbones.conditioning import Conditioning
from workers.addit.forward import ExtendTarget, LendSource
from workers.addit.latents import LatentGrid
from workers.addit.models import Models
from workers.addit.source_memory import StepMemory
from workers.models.families import make_backbone
from workers.models.memory_presets import MEMORY_PRESETS, MemoryPreset
from workers.models.profiles import HUB_PROFILES, ModelProfile

SIDE = 1024
CARDS = (16, 24)
"""GiB."""
EXTENDED_SCALE = 1.05
RESERVE = 2**30
"""Bytes of a card left to CUDA's context and to gaps between tensors: an assumption, not a measurement."""
MODELS = tuple(name for name in HUB_PROFILES if "text_encoder" in PUBLISHED.get(name, ()))
"""Those whose whole configuration is known here. (FLUX.2 [dev]'s text encoder alone exceeds these cards.)"""


@dataclass(frozen=True)
class Stage:
    """A part of an insertion: the modules that work in it, and the bytes it holds beside all weights."""

    name: str
    modules: tuple[nn.Module, ...]
    held: int


@dataclass(frozen=True)
class Model:
    """What is measured of a model once; presets only add it up differently."""

    transformer: nn.Module
    stages: tuple[Stage, ...]


def measure(models: tuple[str, ...] = MODELS) -> Figures:
    """Peak bytes by model and preset."""
    values: dict[str, dict[str, object]] = {}
    rows = []
    for name in models:
        model = measure_model(HUB_PROFILES[name])
        for preset, plan in MEMORY_PRESETS.items():
            peak, stage = peak_of(model, plan)
            fits = [f"{card}" for card in CARDS if peak + RESERVE <= card * 2**30]
            rows.append([name, preset, f"{peak / 2**30:.1f}", stage, ", ".join(fits) or "no"])
            values.setdefault(name, {})[preset] = {"bytes": peak, "stage": stage}
    columns = ["model", "preset", "GiB", "fullest while", f"fits {' or '.join(map(str, CARDS))} GiB"]
    return Figures(f"Peak memory at {SIDE} x {SIDE}, one variation, computed", columns, rows, values)


def peak_of(model: Model, preset: MemoryPreset) -> tuple[int, str]:
    """Bytes on the card at the fullest, and in which stage."""
    fullest = {stage.name: _stage_bytes(model, stage, preset) for stage in model.stages}
    name = max(fullest, key=lambda stage: fullest[stage])
    return fullest[name] + weight_bytes(segmenter()), name


def _stage_bytes(model: Model, stage: Stage, preset: MemoryPreset) -> int:
    held = stage.held
    if stage.name == "denoise" and preset.keeps_sources:
        held += Models.source_memory_bytes
    there = {part for other in model.stages for part in other.modules}
    if preset.offload != "none":
        there = set(stage.modules)

    def on_card(part: nn.Module) -> int:
        if preset.offload == "group":
            return grouped_bytes(part)
        return weight_bytes(part, preset.quantization if part is model.transformer else "none")

    if preset.offload == "none":
        return held + sum(map(on_card, there))
    return held + max(map(on_card, there))  # one after the other


def measure_model(profile: ModelProfile, variations: int = 1) -> Model:
    """Every stage's activations, by running it on the meta device; pictures are decoded one by one."""
    pipe = pipeline(profile.name, profile.family)
    backbone = make_backbone(profile.family, pipe, profile.text_len, META)
    grid = LatentGrid.of_image(SIDE, SIDE, pipe.vae_scale_factor)
    channels = 4 * backbone.latent_channels
    tokens = torch.empty(1, grid.tokens, channels, device=META)
    encoders = text_encoders(profile)
    stages = (
        Stage("encode", tuple(encoders), max(map(peak_bytes, encoders.values()))),
        Stage(
            "denoise",
            (pipe.transformer,),
            peak_bytes(lambda: extended_step(backbone, profile, grid, variations)),
        ),
        Stage("decode", (pipe.vae,), peak_bytes(lambda: backbone.decode_tokens(tokens, grid))),
    )
    return Model(pipe.transformer, stages)


def extended_step(backbone: Backbone, profile: ModelProfile, grid: LatentGrid, variations: int = 1) -> object:
    """A source pass that lends every layer, then a pass of so many targets that attend to it all."""
    config = next(iter(profile.presets.values()))
    source, target = (
        conditioning(backbone, profile, 1.0),
        conditioning(backbone, profile, config.guidance_scale),
    )
    latents = torch.empty(1, grid.tokens, 4 * backbone.latent_channels, device=META)
    memory, layers = StepMemory(), frozenset(backbone.layers)
    with backbone.exchange_processors():
        lend = LendSource(memory, layers, source.text_len)
        memory.velocity = backbone.velocity(latents, 0.9, source, grid, lend)
        extend = ExtendTarget(0, memory, layers, EXTENDED_SCALE)
        rows = torch.empty(variations, *latents.shape[1:], device=META)
        return memory, backbone.velocity(rows, 0.9, backbone.shown(target, latents), grid, extend, extend)


def conditioning(backbone: Backbone, profile: ModelProfile, guidance: float) -> Conditioning:
    """What `encode_prompts` gives, by its shapes."""
    config = backbone.transformer.config
    clip_len = 77 if profile.family == "sd3" else 0
    embeds = torch.empty(1, clip_len + profile.text_len, config.joint_attention_dim, device=META)
    width = config.get("pooled_projection_dim")
    told = Conditioning(embeds, None if width is None else torch.empty(1, width, device=META), guidance)
    twice = profile.family == "sd3" or profile.name == "flux2-klein-base"
    negative = Conditioning(told.prompt_embeds, told.pooled_prompt_embeds, 1.0) if twice else None
    return Conditioning(told.prompt_embeds, told.pooled_prompt_embeds, guidance, negative)


def text_encoders(profile: ModelProfile) -> Mapping[nn.Module, Callable[[], object]]:
    """Every text encoder, with a call as the pipeline makes it for the two prompts of an insertion."""
    config = PUBLISHED[profile.name]
    with META:
        if profile.family == "klein":
            language = Qwen3ForCausalLM(Qwen3Config(**config["text_encoder"])).bfloat16().eval()
            return {language: _chat_call(language, profile.text_len)}
        clip = CLIPTextModelWithProjection if profile.family == "sd3" else CLIPTextModel
        names = [name for name in ("text_encoder", "text_encoder_2", "text_encoder_3") if name in config]
        made = {name: _encoder(clip, config[name]) for name in names}
    return {
        module: _call(module, profile.text_len if isinstance(module, T5EncoderModel) else 77)
        for module in made.values()
    }


def _encoder(clip: Any, config: dict[str, Any]) -> Any:
    if config["model_type"] == "t5":
        return T5EncoderModel(T5Config(**config)).bfloat16().eval()
    return clip(CLIPTextConfig(**config)).bfloat16().eval()


def _call(module: Any, text_len: int) -> Callable[[], object]:
    tokens = torch.zeros(2, text_len, dtype=torch.long, device=META)
    return lambda: module(tokens)


def _chat_call(module: Any, text_len: int) -> Callable[[], object]:
    """With the mask as the model expands it: it would have to look at the numbers of a shorter one."""
    tokens = torch.zeros(2, text_len, dtype=torch.long, device=META)
    mask = torch.ones(2, 1, text_len, text_len, dtype=torch.bool, device=META)
    return lambda: module(tokens, attention_mask=mask, output_hidden_states=True, use_cache=False)


@cache
def segmenter() -> nn.Module:
    """SAM-2 large, in float32: on the card all the time. (Its class cannot be made on the meta device.)"""
    config = files("sam2").joinpath("configs/sam2.1/sam2.1_hiera_l.yaml")
    model: nn.Module = instantiate(OmegaConf.create(config.read_text()).model, _recursive_=True)
    return model


def main(
    models: Annotated[list[str] | None, typer.Argument(help=f"Of {', '.join(MODELS)}; all if none.")] = None,
) -> None:
    """Compute and print."""
    unknown = set(models or ()) - set(MODELS)
    if unknown:
        raise typer.BadParameter(f"no model {', '.join(sorted(unknown))}")
    Console().print(to_table(measure(tuple(models) if models else MODELS)))


if __name__ == "__main__":
    typer.run(main)
