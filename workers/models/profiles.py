"""What is worth knowing of a model before it is loaded. Families differ in these values and in nothing
else."""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True)
class SegmenterPlace:
    """Where a SAM-2 lies: a hub name, or a checkpoint file with its yaml."""

    checkpoint: str
    config: str = ""


@dataclass(frozen=True)
class ModelProfile:
    """A model, its sizes, presets and optional capabilities.

    place: hub name or directory of a diffusers `FluxPipeline`
    native_side: pixels; the side of a square picture it works on best
    min_pixels, max_pixels: a picture outside is worked on at the nearest area inside, its aspect kept
    text_len: T5 tokens that prompts are padded to
    recorded_layers: attention layers that localise the subject; None: those of FLUX.1-dev, by relative depth
    vocabulary: the words it knows, None where it is open; subjects: the objects it knows, likewise
    max_source_error: a picture whose velocity it predicts with a larger squared error lies outside its world
    canary: source prompt, prompt and subject of the insertion that proves a loaded model works
    fingerprint: file of the picture the canary must give; None where none was recorded
    detector, text_segmenter: open what finds a subject by its words, on a device; weights come with first use
    captioner: opens what says what a picture shows, likewise
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


DEFAULT_PRESETS: Mapping[Literal["image", "generated"], str] = {
    "image": "paper-real",
    "generated": "paper-generated",
}
"""The preset of a request that names none, by its source's kind."""

SAM2_LARGE = SegmenterPlace("facebook/sam2.1-hiera-large")
FLUX_LICENCE = "FLUX.1 [dev] Non-Commercial License"
FLUX_DEV = ModelProfile(
    name="flux-dev",
    description="FLUX.1 [dev], 12B: the model of the paper.",
    licence=FLUX_LICENCE,
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
)
FLUX_SCHNELL = ModelProfile(
    name="flux-schnell",
    description="FLUX.1 [schnell], 12B, distilled to few steps; no guidance input. Unproven for this method.",
    licence="Apache-2.0",
    place="black-forest-labs/FLUX.1-schnell",
    native_side=1024,
    min_pixels=512**2,
    max_pixels=2 * 1024**2,
    text_len=256,
    segmenter=SAM2_LARGE,
    presets={name: preset.at_steps(8) for name, preset in PRESETS.items()},
    recorded_layers=FLUX_DEV.recorded_layers,
    detector=FLUX_DEV.detector,
    text_segmenter=FLUX_DEV.text_segmenter,
    captioner=FLUX_DEV.captioner,
)
HUB_PROFILES = {profile.name: profile for profile in (FLUX_DEV, FLUX_SCHNELL)}


def find_profile(name: str) -> ModelProfile:
    """`embedded`, a profile's own name, or the directory of a diffusers FLUX pipeline. Raises
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
    """A profile for any local FLUX checkpoint, read off its configuration."""
    transformer = json.loads((directory / "transformer" / "config.json").read_text())
    guided = bool(transformer.get("guidance_embeds"))
    like = FLUX_DEV if guided else FLUX_SCHNELL
    vae = json.loads((directory / "vae" / "config.json").read_text())
    side = min(like.native_side, int(vae.get("sample_size", like.native_side)))
    return ModelProfile(
        name=directory.resolve().name,
        description=f"A local FLUX checkpoint, {'guided' if guided else 'without guidance input'}.",
        licence="as given by the checkpoint's author",
        place=str(directory),
        native_side=side,
        min_pixels=min(like.min_pixels, side**2),
        max_pixels=like.max_pixels,
        text_len=_text_len(directory, like.text_len),
        segmenter=like.segmenter,
        presets=like.presets,
        detector=like.detector,
        text_segmenter=like.text_segmenter,
        captioner=like.captioner,
    )


def _text_len(directory: Path, most: int) -> int:
    tokenizer = json.loads((directory / "tokenizer_2" / "tokenizer_config.json").read_text())
    return min(most, int(tokenizer.get("model_max_length", most)))


def layers_by_depth(num_layers: int, num_single_layers: int) -> tuple[str, ...]:
    """FLUX.1-dev's recorded layers, moved to a transformer of other depth."""
    double = dict.fromkeys(round(at / 18 * (num_layers - 1)) for at in (13, 14, 18))
    single = dict.fromkeys(round(at / 37 * (num_single_layers - 1)) for at in (23, 33))
    return tuple(
        [f"transformer_blocks.{i}" for i in double] + [f"single_transformer_blocks.{i}" for i in single]
    )
