"""A profile in the words of the API: what the gateway needs to judge a request without loading the model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, cast, get_args, overload

from api_schemas.insertions import Localizer, Options, WeightFrom
from api_schemas.models import Lending, ModelCard, Transformer
from workers.addit.config import AdditConfig
from workers.addit.late_cache import offered_modes
from workers.addit.localizers import supported
from workers.addit.models import Models
from workers.addit.weights import Weight
from workers.models.profiles import DEFAULT_PRESETS, ModelProfile


def make_card(profile: ModelProfile, models: Models, loras: Sequence[str] = ()) -> ModelCard:
    """The card of a loaded model; only the localizers whose helpers are there are offered."""
    localizers = supported(models.search(""))
    return ModelCard(
        name=profile.name,
        description=profile.description,
        licence=profile.licence,
        native_width=profile.native_side,
        native_height=profile.native_side,
        size_multiple=models.size_multiple,
        max_pixels=profile.max_pixels,
        max_aspect=profile.max_aspect,
        presets={name: to_options(preset) for name, preset in profile.presets.items()},
        default_presets=dict(DEFAULT_PRESETS),
        localizers=[name for name in get_args(Localizer) if name in localizers],
        vocabulary=list(profile.vocabulary) if profile.vocabulary else None,
        subjects=list(profile.subjects) if profile.subjects else None,
        max_prompt_tokens=profile.text_len,
        captioner=models.captioner is not None,
        modes=list(offered_modes(models.pipe.transformer)),
        transformer=_transformer(models),
        lending={name: _lending(preset) for name, preset in profile.presets.items()},
        loras=list(loras),
    )


def _transformer(models: Models) -> Transformer:
    backbone = models.backbone
    double = len(backbone.double_layers)
    single = len(backbone.layers) - double
    return Transformer(double_blocks=double, single_blocks=single, guides_twice=backbone.guides_twice)


def _lending(preset: AdditConfig) -> Lending:
    return Lending(
        double_until=preset.extend_double_until,
        single_until=preset.extend_single_until,
        source_guidance_scale=preset.source_guidance_scale,
    )


def to_options(config: AdditConfig) -> Options:
    """A preset's knobs as the API names them. Whether the background is strict is the caller's choice by
    source kind."""
    return Options(
        num_inference_steps=config.num_inference_steps,
        guidance_scale=config.guidance_scale,
        extended_scale=_on_the_wire(config.extended_scale),
        source_scale=_on_the_wire(config.source_scale),
        structure_transfer_step=config.structure_transfer_step,
        blend_steps=list(config.blend_steps),
        localizer=cast(Localizer, config.localizer),
        source_shift=list(config.source_shift),
        inversion=config.inversion,
        use_offset=config.use_offset,
        softness=config.softness,
        keep_shadow=config.keep_shadow,
    )


@overload
def _on_the_wire(weight: Weight) -> float | list[WeightFrom]: ...
@overload
def _on_the_wire(weight: Weight | Literal["auto"]) -> float | Literal["auto"] | list[WeightFrom]: ...
def _on_the_wire(weight: Weight | Literal["auto"]) -> float | Literal["auto"] | list[WeightFrom]:
    if isinstance(weight, tuple):
        return [WeightFrom(step=at.step, double=at.double, single=at.single) for at in weight]
    return weight
