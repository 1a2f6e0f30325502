"""Sweeps are settings around a preset, one of which is the preset itself."""

from dataclasses import replace

import pytest

from toyland.score.commands import SWEEPS
from toyland.score.plots import TITLES
from toyland.score.sweeps import variants
from workers.models.profiles import embedded_profile

PRESETS = embedded_profile().presets


@pytest.mark.parametrize("sweep", SWEEPS)
@pytest.mark.parametrize("preset", ["paper-real", "paper-generated"])
def test_a_sweep_varies_the_preset_and_has_it_among_its_points(sweep: str, preset: str) -> None:
    base = PRESETS[preset]
    configs = [replace(base, **changes) for changes in variants(sweep, base).values()]  # type: ignore[arg-type]
    assert configs.count(base) == 1
    assert len(set(configs)) == len(configs) > 2


def test_every_sweep_has_a_title_in_its_plot() -> None:
    assert set(TITLES) == set(SWEEPS)


def test_several_blends_are_looked_at_beside_single_ones() -> None:
    steps = [point.get("blend_steps") for point in variants("blending", PRESETS["paper-real"]).values()]
    assert {(), (15,), (15, 20), (15, 20, 25)} <= set(steps)
