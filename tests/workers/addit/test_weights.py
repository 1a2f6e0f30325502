from __future__ import annotations

import pytest
import torch

from workers.addit.errors import UnsupportedOption
from workers.addit.weights import WeightFrom, check_weight, move_weight, weight_at

SCHEDULE = (WeightFrom(0, 1.0, 1.1), WeightFrom(4, 1.2, 1.3))


def test_a_number_is_the_same_everywhere() -> None:
    assert weight_at(1.05, 7, "single_transformer_blocks.3") == 1.05


def test_a_schedule_counts_by_step_and_kind_of_block() -> None:
    assert [weight_at(SCHEDULE, step, "transformer_blocks.0") for step in (0, 3, 4, 29)] == [
        1.0,
        1.0,
        1.2,
        1.2,
    ]
    assert [weight_at(SCHEDULE, step, "single_transformer_blocks.0") for step in (3, 4)] == [1.1, 1.3]


def test_a_weight_for_each_row_passes_through() -> None:
    rows = torch.tensor([1.0, 1.1]).reshape(-1, 1, 1, 1)
    assert weight_at(rows, 3, "transformer_blocks.0") is rows


def test_schedules_move_with_the_number_of_steps_and_the_last_of_two_that_meet_stays() -> None:
    moved = move_weight((*SCHEDULE, WeightFrom(5, 1.4, 1.5)), lambda step: step // 2)
    assert moved == (WeightFrom(0, 1.0, 1.1), WeightFrom(2, 1.4, 1.5))


@pytest.mark.parametrize(
    "schedule", [(), (WeightFrom(1, 1, 1),), (WeightFrom(0, 1, 1), WeightFrom(5, 1, 1), WeightFrom(3, 1, 1))]
)
def test_a_schedule_begins_at_step_0_and_ascends(schedule: tuple[WeightFrom, ...]) -> None:
    with pytest.raises(UnsupportedOption, match="begin at 0 and ascend"):
        check_weight(schedule)
    check_weight(SCHEDULE)
    check_weight("auto")
