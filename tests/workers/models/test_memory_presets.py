"""Every memory preset can be chosen by its name."""

from __future__ import annotations

from typing import get_args

from runtime.settings import Settings
from workers.models.memory_presets import MEMORY_PRESETS


def test_settings_know_every_preset() -> None:
    assert set(get_args(Settings.model_fields["memory"].annotation)) == {"", *MEMORY_PRESETS}
