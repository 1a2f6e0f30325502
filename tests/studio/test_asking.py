"""The form as a request."""

from __future__ import annotations

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api_schemas.scenes import SceneInsertionRequest
from studio.areas import Unclear
from studio.asking import Wish, gamma, options, seeds, sentence, step, texts, wish_of

KNOBS = Wish(
    add="a dog", source_prompt="a bed", subject="dog, cat", tries=4, seed="7", keep_best=2, retry=True,
    box="1 2 3 4", avoid="5 6 7 8", gamma="1,1", structure="4", blend="15, 20", localizer="attention",
    steps="20", guidance="4.5", inversion="euler", shadow=False, mode="fast", preset="p",
)  # fmt: skip


def test_every_field_of_the_form_reaches_the_request() -> None:
    said = step(KNOBS)
    asked = SceneInsertionRequest.model_validate(said)
    assert said["seeds"] == [7, 8, 9, 10]
    assert said["subject"] == ["dog", "cat"]
    assert said["options"] == {
        "extended_scale": 1.1, "structure_transfer_step": 4, "blend_steps": [15, 20],
        "localizer": "attention", "num_inference_steps": 20, "guidance_scale": 4.5, "inversion": "euler",
        "keep_shadow": False, "keep_best": 2,
    }  # fmt: skip
    assert {"if_not_added", "mode", "preset", "region", "avoid"} <= asked.model_fields_set


def test_an_untouched_form_leaves_everything_to_the_service() -> None:
    said = [None if field.default == "" else field.default for field in fields(Wish)]
    wish = wish_of(["a dog", *said[1:]])
    assert texts(wish) == {"prompt": "add a dog"}
    assert options(wish) == {}
    assert step(wish).keys() == {"prompt", "seeds", "options", "output"}


@pytest.mark.parametrize(
    ("said", "sent"),
    [
        ("a dog", "add a dog"),
        ("dog", "add dog"),
        ("add a dog", "add a dog"),
        ("put a red hat on the man", "put a red hat on the man"),
        ("remove the dog", "remove the dog"),
    ],
)
def test_a_lone_thing_becomes_an_instruction(said: str, sent: str) -> None:
    assert sentence(said) == sent


@given(st.integers(-3, 40), st.one_of(st.just(""), st.integers(0, 2**32 - 1).map(str)))
def test_seeds_differ_and_are_as_many_as_may_be(tries: int, first: str) -> None:
    found = seeds(tries, first)
    assert len(set(found)) == len(found) == min(max(tries, 1), 8)
    assert all(0 <= seed < 2**32 for seed in found)
    assert not first or found[0] == int(first)


def test_gamma_is_a_number_or_auto() -> None:
    assert [gamma(text) for text in ("1.05", "1,05", " auto ", "")] == [1.05, 1.05, "auto", None]
    with pytest.raises(Unclear, match="γ"):
        gamma("bold")


def test_the_best_are_kept_only_of_more() -> None:
    assert "keep_best" not in options(Wish(add="a dog", tries=2, keep_best=2))
