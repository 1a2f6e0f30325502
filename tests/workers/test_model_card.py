"""The card says of a model what the engine will do with it."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest

from api_schemas.insertions import Localizer
from workers.addit.config import PRESETS
from workers.addit.localizers import LOCALIZERS
from workers.model_card import make_card, to_options
from workers.models.loading import LoadOptions, load
from workers.models.profiles import embedded_profile


@pytest.mark.parametrize("steps", [2, 4, 7, 15, 30, 50, 100])
@pytest.mark.parametrize("preset", PRESETS)
def test_gateway_and_method_scale_steps_alike(preset: str, steps: int) -> None:
    assert to_options(PRESETS[preset]).at_steps(steps) == to_options(PRESETS[preset].at_steps(steps))


def test_only_localizers_that_can_be_followed_are_offered() -> None:
    profile = embedded_profile()
    whole = load(profile, LoadOptions(device="cpu"))
    assert "grounding_sam" in make_card(profile, whole).localizers
    assert not {"clipseg", "clipseg_sam"} & set(make_card(profile, whole).localizers)
    assert make_card(profile, replace(whole, segmenter=None)).localizers == ["attention"]


def test_the_wire_names_every_localizer_of_the_method() -> None:
    assert set(get_args(Localizer)) == set(LOCALIZERS)
