"""What a worker serves, as it says itself."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from api_schemas.base import ResponseModel
from api_schemas.insertions import Localizer, Mode, Options


class Transformer(ResponseModel):
    """What a pass of the model is made of, for who counts passes."""

    double_blocks: int = Field(description="Attention blocks that are lent the source for a shorter time.")
    single_blocks: int = Field(description="Those that are lent it for longer, after the others.")
    guides_twice: bool = Field(description="Whether guidance above 1 takes a second pass.")


class Lending(ResponseModel):
    """What a preset fixes beyond its options."""

    double_until: int = Field(description="Last step at which double blocks are lent the source.")
    single_until: int = Field(description="Last step at which single blocks are.")
    source_guidance_scale: float = Field(description="Of the source's own passes.")


class ModelCard(ResponseModel):
    """A served model: everything the gateway needs to judge a request without loading it."""

    name: str = Field(description="For `model` of a request.")
    object: Literal["model"] = Field(default="model", description="What this is.")
    description: str = Field(description="For people.")
    licence: str = Field(description="Of the weights.")
    native_width: int = Field(description="Pixels it works best at.")
    native_height: int = Field(description="Pixels it works best at.")
    size_multiple: int = Field(description="Working sizes are multiples of this.")
    max_pixels: int = Field(description="Of a working size.")
    max_aspect: float = Field(description="Longest side over shortest.")
    presets: dict[str, Options] = Field(description="Every option of every preset, filled in.")
    default_presets: dict[Literal["image", "generated"], str] = Field(description="By source kind.")
    localizers: list[Localizer] = Field(description="Ways of finding the subject's mask.")
    vocabulary: list[str] | None = Field(
        default=None, description="The words it knows; null where it is open."
    )
    subjects: list[str] | None = Field(
        default=None, description="The objects it knows; null where it is open."
    )
    max_prompt_tokens: int = Field(description="Longer prompts are refused.")
    captioner: bool = Field(
        default=False, description="Whether it can tell by itself what a picture without a prompt shows."
    )
    modes: list[Mode] = Field(default=["exact"], description="How exact or fast it can work.")
    transformer: Transformer | None = Field(default=None, description="What a pass is made of.")
    lending: dict[str, Lending] = Field(default={}, description="By preset.")
    loras: list[str] = Field(default=[], description="Adapters that a request may name.")


class ModelList(ResponseModel):
    """All models that a live worker serves."""

    object: Literal["list"] = Field(default="list", description="What this is.")
    data: list[ModelCard] = Field(description="The models.")
