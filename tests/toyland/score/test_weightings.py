"""Weights along the steps: valid schedules around the preset's own gamma."""

from dataclasses import replace

import pytest

from toyland.score.weightings import moving, weightings
from workers.addit.config import PAPER_GENERATED, PAPER_REAL, AdditConfig
from workers.addit.weights import weight_at

DOUBLE, SINGLE = "transformer_blocks.0", "single_transformer_blocks.0"


@pytest.mark.parametrize(
    "base", [PAPER_REAL, PAPER_GENERATED, replace(PAPER_REAL, structure_transfer_step=0)]
)
def test_every_weighting_is_a_configuration_of_its_own(base: AdditConfig) -> None:
    configs = [replace(base, **changes) for changes in weightings(base).values()]  # type: ignore[arg-type]
    assert configs.count(base) == 1
    assert len(set(configs)) == len(configs)


@pytest.mark.parametrize("name", ["falling", "rising"])
def test_what_moves_has_the_presets_gamma_as_its_mean(name: str) -> None:
    scale = weightings(PAPER_REAL)[name]["extended_scale"]
    steps = range(PAPER_REAL.structure_transfer_step, PAPER_REAL.last_extended_step + 1)
    weights = [weight_at(scale, step, DOUBLE) for step in steps]  # type: ignore[arg-type]
    assert sum(weights) / len(weights) == pytest.approx(PAPER_REAL.extended_scale)
    assert weights == sorted(weights, reverse=name == "falling")


def test_one_kind_of_block_alone_leaves_the_other_as_it_is() -> None:
    double = weightings(PAPER_REAL)["double blocks"]["extended_scale"]
    assert weight_at(double, 9, DOUBLE) == PAPER_REAL.extended_scale  # type: ignore[arg-type]
    assert weight_at(double, 9, SINGLE) == 1.0  # type: ignore[arg-type]


def test_a_moving_weight_is_told_how_far_along_it_is() -> None:
    scale = moving(1.2, first=4, last=20, pull=lambda way: way)
    assert [weight_at(scale, step, SINGLE) for step in (0, 4, 12, 20, 29)] == pytest.approx(
        [1.0, 1.0, 1.1, 1.2, 1.2]
    )
