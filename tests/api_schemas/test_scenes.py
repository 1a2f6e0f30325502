"""What is asked of a scene is asked of an insertion."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from api_schemas.insertions import InsertionRequest, SceneSource, kind_of
from api_schemas.scenes import OF_THE_SOURCE, SceneInsertionRequest, upon


def test_a_scene_can_be_asked_whatever_an_insertion_can() -> None:
    offered = SceneInsertionRequest.model_fields.keys()
    assert offered == InsertionRequest.model_fields.keys() - {"source"} | OF_THE_SOURCE.keys()


def test_the_request_is_that_of_the_step() -> None:
    body = {"prompt": "add a dog", "seeds": [4], "options": {"guidance_scale": 2}, "priority": "bulk"}
    place = {"step": "ins_1", "seed": 3, "source_prompt": "a room"}
    made = upon("scn_1", SceneInsertionRequest.model_validate(body | place))
    source = {"kind": "scene", "scene_id": "scn_1", "step": "ins_1", "seed": 3, "prompt": "a room"}
    assert made == InsertionRequest.model_validate(body | {"source": source})
    assert kind_of(made.source) == "image"
    assert upon("scn_1", SceneInsertionRequest.model_validate(body)).source == SceneSource(scene_id="scn_1")


@pytest.mark.parametrize(
    "wrong", [{}, {"prompt": ""}, {"prompt": "a", "seeds": [1] * 9}, {"prompt": "a", "x": 1}]
)
def test_its_fields_are_as_strict(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SceneInsertionRequest.model_validate(wrong)


def test_seeds_differ() -> None:
    with pytest.raises(ValidationError, match="differ"):
        upon("scn_1", SceneInsertionRequest.model_validate({"prompt": "a", "seeds": [1, 1]}))
