"""The operator's choices of how a model is loaded."""

from __future__ import annotations

from runtime.settings import Settings
from workers.choices import load_options
from workers.models.memory_presets import MEMORY_PRESETS, MemoryPreset


def test_a_preset_stands_in_place_of_single_choices() -> None:
    single = load_options(Settings(offload="model", quantization="int8"))
    assert single.memory == MemoryPreset("int8", "model")
    preset = load_options(Settings(offload="model", quantization="int8", memory="nf4"))
    assert preset.memory == MEMORY_PRESETS["nf4"]
