from __future__ import annotations

from typing import Any

import pytest

from workers.addit.config import PAPER_REAL, PRESETS, AdditConfig, scale_step
from workers.addit.errors import UnsupportedOption


def test_presets_are_the_published_ones() -> None:
    knobs = {
        name: (p.structure_transfer_step, p.extended_scale, p.blend_steps, p.localizer, p.inversion)
        for name, p in PRESETS.items()
    }
    assert knobs == {
        "paper-generated": (2, 1.05, (15,), "attention_points_sam", "noising"),
        "paper-real": (4, 1.05, (15,), "attention_points_sam", "noising"),
        "reference-real": (4, 1.10, (18,), "attention", "fixed_point"),
    }


def test_other_step_counts_scale_by_fraction_and_halves_round_up() -> None:
    assert [scale_step(step, 30, 15) for step in (4, 10, 15, 20)] == [2, 5, 8, 10]
    short = PAPER_REAL.at_steps(4)
    assert (short.structure_transfer_step, short.blend_steps, short.extend_single_until) == (1, (2,), 3)
    assert PAPER_REAL.at_steps(30) == PAPER_REAL


@pytest.mark.parametrize(
    "knobs",
    [
        {"structure_transfer_step": 30},
        {"blend_steps": (30,)},
        {"blend_steps": (1,), "structure_transfer_step": 2},
        {"num_inference_steps": 1},
        {"keep_best": 0},
        {"keep_best": 2, "blend_steps": ()},
    ],
)
def test_what_cannot_be_done_is_refused(knobs: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedOption):
        AdditConfig(**knobs)
