"""A variation is the job's own request but for what is said to change."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from api_schemas.insertions import InsertionRequest, Options
from api_schemas.variations import KEPT, VariationRequest, given, over, vary

OPTIONS = Options(
    num_inference_steps=30, extended_scale=1.05, structure_transfer_step=4, blend_steps=[15], softness=1
)
REQUEST = InsertionRequest.model_validate(
    {
        "source": {"kind": "generated", "prompt": "a bed"},
        "prompt": "a bed with a dog",
        "subject": "dog",
        "preset": "real",
        "seeds": [1, 2],
        "options": OPTIONS.model_dump(),
        "webhook": {"url": "https://example.com/"},
        "metadata": {"order": "4711"},
    }
)


def test_everything_but_source_and_model_can_be_varied() -> None:
    fields = set(InsertionRequest.model_fields)
    assert set(VariationRequest.model_fields) == fields - KEPT
    for name in KEPT:
        with pytest.raises(ValidationError):
            VariationRequest.model_validate({name: None})


def test_null_says_nothing() -> None:
    asked = VariationRequest.model_validate({"seeds": None, "prompt": "a bed with a cat"})
    assert given(asked) == {"prompt": "a bed with a cat"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"seeds": [5]}, {"seeds": [5]}),
        ({"prompt": "a bed with a cat"}, {"prompt": "a bed with a cat", "subject": None}),
        ({"prompt": "a cat", "subject": "cat"}, {"prompt": "a cat", "subject": "cat"}),
        ({"mode": "fast"}, {"mode": "fast"}),
        ({}, {"seeds": []}),
        ({"metadata": {"order": "4712"}}, {"seeds": [], "metadata": {"order": "4712"}}),
        ({"preset": "other"}, {"preset": "other", "options": Options()}),
    ],
)
def test_what_is_not_said_stays(changes: dict[str, Any], expected: dict[str, Any]) -> None:
    assert vary(REQUEST, changes) == REQUEST.model_copy(update=expected)


def test_another_presets_options_are_not_the_jobs() -> None:
    changes = {"preset": "other", "options": {"softness": 2}}
    assert vary(REQUEST, changes).options == Options(softness=2)


def test_options_are_laid_over_the_jobs() -> None:
    assert over(OPTIONS, Options(extended_scale=1.2)) == OPTIONS.model_copy(update={"extended_scale": 1.2})


def test_other_steps_move_the_rest() -> None:
    shorter = over(OPTIONS, Options(num_inference_steps=10))
    assert (shorter.structure_transfer_step, shorter.blend_steps) == (1, [5])


def test_a_start_by_time_takes_the_place_of_one_by_step() -> None:
    by_time = over(OPTIONS, Options(structure_transfer_t=0.8))
    assert (by_time.structure_transfer_step, by_time.structure_transfer_t) == (None, 0.8)
    by_step = over(by_time, Options(structure_transfer_step=2))
    assert (by_step.structure_transfer_step, by_step.structure_transfer_t) == (2, None)


def test_what_would_be_no_request_is_no_variation() -> None:
    with pytest.raises(ValidationError):
        vary(REQUEST, {"seeds": [1, 1]})
