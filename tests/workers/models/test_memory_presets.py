"""Every memory preset can be chosen by its name."""

from __future__ import annotations

from typing import get_args

from runtime.settings import Settings
from workers.insertion import load_options
from workers.models.memory_presets import MEMORY_PRESETS, MemoryPreset


def test_settings_know_every_preset() -> None:
    assert set(get_args(Settings.model_fields["memory"].annotation)) == {"", *MEMORY_PRESETS}


def test_a_preset_stands_in_place_of_single_choices() -> None:
    single = load_options(Settings(offload="model", quantization="int8"))
    assert single.memory == MemoryPreset("int8", "model")
    preset = load_options(Settings(offload="model", quantization="int8", memory="nf4"))
    assert preset.memory == MEMORY_PRESETS["nf4"]
