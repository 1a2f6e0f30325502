"""The card says of a model what the engine will do with it."""

from __future__ import annotations

import pytest

from workers.addit.config import PRESETS
from workers.model_card import to_options


@pytest.mark.parametrize("steps", [2, 4, 7, 15, 30, 50, 100])
@pytest.mark.parametrize("preset", PRESETS)
def test_gateway_and_method_scale_steps_alike(preset: str, steps: int) -> None:
    assert to_options(PRESETS[preset]).at_steps(steps) == to_options(PRESETS[preset].at_steps(steps))
