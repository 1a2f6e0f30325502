"""What is worth knowing of a model before it is loaded. Families differ in these values and in nothing
else."""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

import torch

from workers import models
from workers.addit.config import PRESETS, AdditConfig
from workers.addit.localizers import Detector, TextSegmenter
from workers.addit.models import Captioner
from workers.models.captioner import Florence2
from workers.models.clipseg import ClipSeg
from workers.models.errors import UnknownProfile
from workers.models.grounding import GroundingDino

Family = Literal["flux", "kontext", "flux2", "klein", "sd3"]

PIPELINES: Mapping[Family, str] = {
    "flux": "FluxPipeline",
    "kontext": "FluxKontextPipeline",
    "flux2": "Flux2Pipeline",
    "klein": "Flux2KleinPipeline",
    "sd3": "StableDiffusion3Pipeline",
}
"""The diffusers class a family is loaded as, which `model_index.json` names."""
PROMPT_TOKENIZERS: Mapping[Family, str] = {
    "flux": "tokenizer_2",
    "kontext": "tokenizer_2",
    "flux2": "tokenizer",
    "klein": "tokenizer",
    "sd3": "tokenizer_3",
}
"""The part of a pipeline whose tokens a prompt's length is counted in."""


@dataclass(frozen=True)
class SegmenterPlace:
    """Where a SAM-2 lies: a hub name, or a checkpoint file with its yaml."""

    checkpoint: str
    config: str = ""


@dataclass(frozen=True)
class ModelProfile:
    """A model, its sizes, presets and optional capabilities.

    place: hub name or directory of a diffusers pipeline
    native_side: pixels; the side of a square picture it works on best
    min_pixels, max_pixels: a picture outside is worked on at the nearest area inside, its aspect kept
    text_len: tokens that prompts are padded to
    recorded_layers: attention layers that localise the subject; None: those of FLUX.1-dev, by relative depth
    vocabulary: the words it knows, None where it is open; subjects: the objects it knows, likewise
    max_source_error: a picture whose velocity it predicts with a larger squared error lies outside its world
    canary: source prompt, prompt and subject of the insertion that proves a loaded model works
    fingerprint: file of the picture the canary must give; None where none was recorded
    detector, text_segmenter: open what finds a subject by its words, on a device; weights come with first use
    captioner: opens what says what a picture shows, likewise
    family: which pipeline and backbone
    must_accept: key of the licence that an operator accepts before this is served; None where use is free
    mag_ratios: name in `diffusers.hooks.mag_cache` of what MagCache needs; None where nobody measured it
    """

    name: str
    description: str
    licence: str
    place: str
    native_side: int
    min_pixels: int
    max_pixels: int
    text_len: int
    segmenter: SegmenterPlace | None
    presets: Mapping[str, AdditConfig]
    recorded_layers: tuple[str, ...] | None = None
    vocabulary: tuple[str, ...] | None = None
    subjects: tuple[str, ...] | None = None
    max_source_error: float | None = None
    canary: tuple[str, str, str] = ("a photo of a beach", "a photo of a beach with a dog", "dog")
    fingerprint: Path | None = None
    max_aspect: float = 4.0
    detector: Callable[[torch.device], Detector] | None = None
    text_segmenter: Callable[[torch.device], TextSegmenter] | None = None
    captioner: Callable[[torch.device], Captioner] | None = None
    family: Family = "flux"
    must_accept: str | None = None
    mag_ratios: str | None = None


DEFAULT_PRESETS: Mapping[Literal["image", "generated"], str] = {
    "image": "paper-real",
    "generated": "paper-generated",
}
"""The preset of a request that names none, by its source's kind."""

SAM2_LARGE = SegmenterPlace("facebook/sam2.1-hiera-large")
FLUX_DEV = ModelProfile(
    name="flux-dev",
    description="FLUX.1 [dev], 12B: the model of the paper.",
    licence="FLUX.1 [dev] Non-Commercial License",
    place="black-forest-labs/FLUX.1-dev",
    native_side=1024,
    min_pixels=512**2,
    max_pixels=2 * 1024**2,
    text_len=512,
    segmenter=SAM2_LARGE,
    presets=PRESETS,
    recorded_layers=(
        "transformer_blocks.13",
        "transformer_blocks.14",
        "transformer_blocks.18",
        "single_transformer_blocks.23",
        "single_transformer_blocks.33",
    ),
    detector=partial(GroundingDino, "IDEA-Research/grounding-dino-base"),
    text_segmenter=partial(ClipSeg, "CIDAS/clipseg-rd64-refined"),
    captioner=partial(Florence2, "florence-community/Florence-2-base"),
    must_accept="flux-1-dev-non-commercial",
    mag_ratios="FLUX_MAG_RATIOS",
)
FLUX_SCHNELL = replace(
    FLUX_DEV,
    name="flux-schnell",
    description="FLUX.1 [schnell], 12B, distilled to few steps; no guidance input. Unproven for this method.",
    licence="Apache-2.0",
    place="black-forest-labs/FLUX.1-schnell",
    text_len=256,
    presets={name: preset.at_steps(8) for name, preset in PRESETS.items()},
    must_accept=None,
    mag_ratios=None,
)
FLUX_KONTEXT = replace(
    FLUX_DEV,
    name="flux-kontext",
    description="FLUX.1 Kontext [dev], 12B: the target also sees the source. Unproven for this method.",
    place="black-forest-labs/FLUX.1-Kontext-dev",
    family="kontext",
    mag_ratios=None,
)


def guided(scale: float) -> Mapping[str, AdditConfig]:
    """The presets at another guidance of the target."""
    return {name: replace(preset, guidance_scale=scale) for name, preset in PRESETS.items()}


FLUX2_DEV = replace(
    FLUX_DEV,
    name="flux2-dev",
    description="FLUX.2 [dev], 32B, with a 24B text encoder. Unproven for this method.",
    licence="FLUX [dev] Non-Commercial License",
    place="black-forest-labs/FLUX.2-dev",
    presets=guided(4.0),
    recorded_layers=None,
    family="flux2",
    must_accept="flux-2-dev-non-commercial",
    mag_ratios=None,
)
FLUX2_KLEIN = replace(
    FLUX_SCHNELL,
    name="flux2-klein",
    description="FLUX.2 [klein] 4B, distilled to four steps. Unproven for this method.",
    place="black-forest-labs/FLUX.2-klein-4B",
    text_len=512,
    recorded_layers=None,
    family="klein",
)
FLUX2_KLEIN_BASE = replace(
    FLUX2_KLEIN,
    name="flux2-klein-base",
    description="FLUX.2 [klein] base 4B, not distilled: classifier-free guidance. Unproven for this method.",
    place="black-forest-labs/FLUX.2-klein-base-4B",
    presets=guided(4.0),
)
FLUX2_KLEIN_9B = replace(
    FLUX2_KLEIN,
    name="flux2-klein-9b",
    description="FLUX.2 [klein] 9B, distilled to four steps. Unproven for this method.",
    licence="FLUX Non-Commercial License",
    place="black-forest-labs/FLUX.2-klein-9B",
    must_accept="flux-klein-9b-non-commercial",
)
SD35_LARGE = replace(
    FLUX_SCHNELL,
    name="sd3.5-large",
    description="Stable Diffusion 3.5 Large, 8B: classifier-free guidance. Unproven for this method.",
    licence="Stability AI Community License",
    place="stabilityai/stable-diffusion-3.5-large",
    presets=PRESETS,
    recorded_layers=None,
    family="sd3",
    must_accept="stabilityai-ai-community",
)
SD35_MEDIUM = replace(
    SD35_LARGE,
    name="sd3.5-medium",
    description="Stable Diffusion 3.5 Medium, 2.5B: classifier-free guidance. Unproven for this method.",
    place="stabilityai/stable-diffusion-3.5-medium",
    presets=guided(4.5),
)
HUB_PROFILES = {
    profile.name: profile
    for profile in (
        FLUX_DEV,
        FLUX_SCHNELL,
        FLUX_KONTEXT,
        FLUX2_DEV,
        FLUX2_KLEIN,
        FLUX2_KLEIN_BASE,
        FLUX2_KLEIN_9B,
        SD35_LARGE,
        SD35_MEDIUM,
    )
}


def find_profile(name: str) -> ModelProfile:
    """`embedded`, a profile's own name, or the directory of a diffusers pipeline. Raises
    `UnknownProfile`."""
    shipped = embedded_profile()
    if name in ("embedded", shipped.name):
        return shipped
    if name in HUB_PROFILES:
        return HUB_PROFILES[name]
    if (Path(name) / "model_index.json").is_file():
        return directory_profile(Path(name))
    raise UnknownProfile(name, ("embedded", shipped.name, *HUB_PROFILES))


def embedded_profile() -> ModelProfile:
    """The model shipped inside this package, whichever it is: the sub-package with a `profile` module."""
    shipped = next(module.name for module in pkgutil.iter_modules(models.__path__) if module.ispkg)
    profile: ModelProfile = importlib.import_module(f"{models.__name__}.{shipped}.profile").PROFILE
    return profile


def directory_profile(directory: Path) -> ModelProfile:
    """A profile for any local checkpoint of a known family, read off its configuration."""
    index = json.loads((directory / "model_index.json").read_text())
    family = next((name for name, pipe in PIPELINES.items() if pipe == index.get("_class_name")), None)
    if family is None:
        raise UnknownProfile(str(directory), ("embedded", *HUB_PROFILES))
    transformer = json.loads((directory / "transformer" / "config.json").read_text())
    few_steps = bool(index.get("is_distilled", not transformer.get("guidance_embeds")))
    like = _likeness(family, few_steps)
    vae = json.loads((directory / "vae" / "config.json").read_text())
    side = min(like.native_side, int(vae.get("sample_size", like.native_side)))
    return replace(
        like,
        name=directory.resolve().name,
        description=f"A local checkpoint, used as {like.name} is.",
        licence="as given by the checkpoint's author",
        place=str(directory),
        native_side=side,
        min_pixels=min(like.min_pixels, side**2),
        text_len=_text_len(directory / PROMPT_TOKENIZERS[family], like.text_len),
        recorded_layers=None,
        must_accept=None,
        mag_ratios=None,
    )


def _likeness(family: Family, few_steps: bool) -> ModelProfile:
    """The published model whose sizes and presets fit best."""
    if family == "flux":
        return FLUX_SCHNELL if few_steps else FLUX_DEV
    if family == "klein":
        return FLUX2_KLEIN if few_steps else FLUX2_KLEIN_BASE
    return next(profile for profile in HUB_PROFILES.values() if profile.family == family)


def _text_len(tokenizer: Path, most: int) -> int:
    config = json.loads((tokenizer / "tokenizer_config.json").read_text())
    return min(most, int(config.get("model_max_length", most)))


def layers_by_depth(num_layers: int, num_single_layers: int) -> tuple[str, ...]:
    """FLUX.1-dev's recorded layers, moved to a transformer of other depth.

    To one with a single kind of block by their place among all 57.
    """
    if not num_single_layers:
        whole = dict.fromkeys(round(at / 56 * (num_layers - 1)) for at in (13, 14, 18, 42, 52))
        return tuple(f"transformer_blocks.{i}" for i in whole)
    double = dict.fromkeys(round(at / 18 * (num_layers - 1)) for at in (13, 14, 18))
    single = dict.fromkeys(round(at / 37 * (num_single_layers - 1)) for at in (23, 33))
    return tuple(
        [f"transformer_blocks.{i}" for i in double] + [f"single_transformer_blocks.{i}" for i in single]
    )
