"""The cost of an insertion is counted by running it; here on three blocks of FLUX's own width."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from diffusers import FluxTransformer2DModel

from bench.cost import META, count, without_weights


@pytest.fixture(scope="module")
def values() -> Mapping[str, Any]:
    with META:
        transformer = FluxTransformer2DModel(num_layers=1, num_single_layers=2, guidance_embeds=True)
    return count(without_weights(transformer.bfloat16().eval()))


def test_a_known_source_costs_target_steps_alone(values: Mapping[str, Any]) -> None:
    assert 28 < values["generated_next"] < 28 * 1.2
    assert 26 < values["real_next"] < 26 * 1.2


def test_first_edits_cost_the_source_once(values: Mapping[str, Any]) -> None:
    assert values["generated_first"] == pytest.approx(values["generated_next"] + 30)
    assert values["real_next"] < values["noising_first"] < values["real_next"] + 17 + 1e-6
    assert values["inversion_first"] == pytest.approx(values["real_next"] + 53, abs=1)


def test_dropped_seeds_cost_no_steps_after_the_blend(values: Mapping[str, Any]) -> None:
    assert values["real_next_eight"] == pytest.approx(8 * values["real_next"])
    saved = values["real_next_eight"] - values["real_next_two_of_eight"]
    extended = (values["real_next"] - 26) / (10 - 4 + 1 + 2 * (20 - 4 + 1))  # of one block at one step
    assert saved == pytest.approx(6 * (14 + 2 * 5 * extended))  # single blocks until 20


def test_the_reference_runs_both_branches_at_all_steps(values: Mapping[str, Any]) -> None:
    extension = values["reference_noising_first"] - 60
    assert 0 < extension < 6
    assert values["reference_generated_first"] == pytest.approx(90 + extension)
    assert values["reference_inversion_first"] == pytest.approx(120 + extension)


def test_all_that_is_lent_is_remembered(values: Mapping[str, Any]) -> None:
    tokens, width = 64 * 64, 3072
    pair = 2 * tokens * width * 2  # bytes in bfloat16
    block_steps = 1 * (10 - 4 + 1) + 2 * (20 - 4 + 1)  # from the transfer to the last that each kind lends
    velocities = 2 * tokens * 64 * 4  # the blend's, and the last extended step's, which judges the source
    assert values["noising_first_memory_bytes"] == block_steps * pair + velocities
