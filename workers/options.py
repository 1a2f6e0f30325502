"""The API's options as settings of the method."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from api_schemas.insertions import Options
from api_schemas.insertions import WeightFrom as GivenWeight
from workers.addit.config import AdditConfig, step_of_noise
from workers.addit.weights import Weight, WeightFrom


def apply(options: Options, preset: AdditConfig) -> AdditConfig:
    """The preset with what was asked for over it. Raises `UnsupportedOption`."""
    steps = options.num_inference_steps or preset.num_inference_steps
    given: dict[str, Any] = {
        name: value for name in Options.model_fields if (value := getattr(options, name)) is not None
    }
    for name in {"extended_scale", "source_scale"} & given.keys():
        given[name] = _weight(given[name])
    if "blend_steps" in given:
        given["blend_steps"] = tuple(sorted(set(given["blend_steps"])))
    if "source_shift" in given:
        given["source_shift"] = tuple(given["source_shift"])
    if "structure_transfer_t" in given:
        given["structure_transfer_step"] = step_of_noise(given.pop("structure_transfer_t"), steps)
    return replace(preset.at_steps(steps), **given)


def _weight(given: float | Literal["auto"] | list[GivenWeight]) -> Weight | Literal["auto"]:
    if isinstance(given, list):
        return tuple(WeightFrom(at.step, at.double, at.single) for at in given)
    return given
