"""LoRAs of a request: a list, or scales by name; kept by name."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from api_schemas.insertions import InsertionRequest
from job_store.records import written

SOURCE = {"kind": "generated", "prompt": "a beach"}
LISTED = [{"name": "ink", "scale": 0.8}, {"name": "wash", "scale": -0.5}]
BY_NAME = {"ink": 0.8, "wash": -0.5}


def request(loras: Any) -> InsertionRequest:
    asked = {"source": SOURCE, "prompt": "a beach with a dog", "subject": "dog", "loras": loras}
    return InsertionRequest.model_validate_json(json.dumps(asked), strict=True)


@pytest.mark.parametrize("said", [LISTED, BY_NAME])
def test_both_ways_of_naming_them_are_the_same_request(said: object) -> None:
    asked = request(said)
    assert asked == request(LISTED)
    assert asked.model_dump(mode="json")["loras"] == LISTED
    assert asked.lora_scales() == BY_NAME


def test_records_hold_them_by_name_as_the_release_before_did() -> None:
    kept = written(request(LISTED))
    assert json.loads(kept)["loras"] == BY_NAME
    assert InsertionRequest.model_validate_json(kept) == request(LISTED)
    assert json.loads(written(request([])))["loras"] == {}


def test_one_is_worn_whole_where_nothing_is_said() -> None:
    assert request([{"name": "ink"}]).lora_scales() == {"ink": 1.0}


@pytest.mark.parametrize(
    "said",
    [
        [LISTED[0], LISTED[0]], [{"name": ""}], [{"name": "ink", "scale": 2.1}], [{"scale": 1}], ["ink"],
        [{"name": "ink", "weight": 1}], {"ink": -2.1}, {"ink": "1"}, {"": 1}, "ink",
        {str(number): 1 for number in range(5)}, [{"name": "ink", "scale": True}],
    ],
)  # fmt: skip
def test_what_names_none_is_refused(said: object) -> None:
    with pytest.raises(ValidationError):
        request(said)
