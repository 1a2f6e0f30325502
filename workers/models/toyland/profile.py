"""Toyland's profile. Its words and objects are read from files beside the weights: they cannot disagree."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from workers.addit.config import PRESETS
from workers.models.profiles import ModelProfile, SegmenterPlace
from workers.models.toyland.captioner import ToylandCaptioner
from workers.models.toyland.finder import Finder

HERE = Path(__file__).parent


def read_subjects() -> tuple[str, ...]:
    """What it can add: the objects of its world, which its detector knows by name."""
    return tuple(json.loads((HERE / "detector" / "config.json").read_text())["names"])


def read_vocabulary() -> tuple[str, ...]:
    """The words of the T5 tokenizer, without its special tokens."""
    tokenizer = json.loads((HERE / "pipeline" / "tokenizer_2" / "tokenizer.json").read_text())
    special = {token["content"] for token in tokenizer["added_tokens"]}
    return tuple(sorted(word for word in tokenizer["model"]["vocab"] if word not in special))


STEP = 2
"""Latest step of a structure transfer: from a later one fewer subjects come out."""
LOCALIZERS = {"attention_points_sam": "attention_instance_sam"}
"""Instead of the presets': it draws a thing twice at times, and its SAM-2 finds half of what is blurred."""

# Chosen on validation scenes, README.md. After one blend alone its background drifts.
PROFILE = ModelProfile(
    name="toyland",
    description="A small FLUX of a made-up world: emoji objects in nine scenes. Runs on any CPU.",
    licence="Apache-2.0",
    place=str(HERE / "pipeline"),
    native_side=256,
    min_pixels=256 * 256,
    max_pixels=256 * 256,
    text_len=32,
    segmenter=SegmenterPlace(str(HERE / "sam2" / "model.safetensors"), str(HERE / "sam2" / "config.yaml")),
    presets={
        name: replace(
            preset,
            structure_transfer_step=min(preset.structure_transfer_step, STEP),
            extended_scale=1.2,
            guidance_scale=4.5,
            strict_background=True,
            localizer=LOCALIZERS.get(preset.localizer, preset.localizer),
        )
        for name, preset in PRESETS.items()
    },
    recorded_layers=(
        "transformer_blocks.1",
        "transformer_blocks.2",
        "single_transformer_blocks.1",
        "single_transformer_blocks.3",
    ),
    max_source_error=0.5,
    fingerprint=HERE / "fingerprint.json",
    vocabulary=read_vocabulary(),
    subjects=read_subjects(),
    detector=lambda device: Finder(HERE / "detector"),
    captioner=lambda device: ToylandCaptioner(HERE),
)
