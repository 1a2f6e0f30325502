from __future__ import annotations

import pytest
from pydantic import ValidationError

from api_schemas.insertions import Options
from workers.addit.config import PAPER_REAL
from workers.addit.weights import WeightFrom
from workers.options import apply

SCHEDULE = [{"step": 0, "double": 1.0, "single": 1.1}, {"step": 10, "double": 1.2, "single": 1.3}]


def test_nothing_asked_for_is_the_preset() -> None:
    assert apply(Options(), PAPER_REAL) == PAPER_REAL


@pytest.mark.parametrize(("t", "step"), [(0.8, 6), (1.0, 0), (0.867, 4), (0.5, 15)])
def test_a_time_is_the_first_step_at_or_below_it(t: float, step: int) -> None:
    blends = {"blend_steps": [20]}
    assert apply(Options(structure_transfer_t=t, **blends), PAPER_REAL).structure_transfer_step == step


def test_a_step_and_a_time_are_one_too_many() -> None:
    with pytest.raises(ValidationError, match="not both"):
        Options(structure_transfer_t=0.8, structure_transfer_step=4)


def test_schedules_and_auto_come_through() -> None:
    asked = Options.model_validate({"extended_scale": SCHEDULE, "source_scale": 0.9})
    config = apply(asked, PAPER_REAL)
    assert config.extended_scale == (WeightFrom(0, 1.0, 1.1), WeightFrom(10, 1.2, 1.3))
    assert config.source_scale == 0.9
    assert apply(Options(extended_scale="auto"), PAPER_REAL).extended_scale == "auto"


def test_a_schedule_moves_with_the_steps_as_the_methods_does() -> None:
    asked = Options.model_validate({"num_inference_steps": 30, "extended_scale": SCHEDULE})
    assert apply(asked.at_steps(6), PAPER_REAL) == apply(asked, PAPER_REAL).at_steps(6)


@pytest.mark.parametrize("schedule", [[], SCHEDULE[1:], SCHEDULE[::-1], [SCHEDULE[0], SCHEDULE[0]]])
def test_schedules_begin_at_0_and_ascend(schedule: list[dict[str, float]]) -> None:
    with pytest.raises(ValidationError):
        Options.model_validate({"extended_scale": schedule})


def test_a_shift_of_the_source_comes_through() -> None:
    assert apply(Options(source_shift=[1, -2.5]), PAPER_REAL).source_shift == (1, -2.5)
    for bad in ([1], [1, 2, 3], [1, 65]):
        with pytest.raises(ValidationError):
            Options(source_shift=bad)
