"""The description is complete: nothing without words, no answer without a type, examples that hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from api_schemas.image_edits import ImageEditRequest
from api_schemas.insertions import InsertionRequest
from api_schemas.masks import MaskRequest
from api_schemas.scenes import HeadRequest, SceneInsertionRequest, SceneRequest
from api_schemas.sentences.inference import understand
from api_schemas.subjects import as_tuple
from api_schemas.variations import VariationRequest
from service.examples import EDIT, GENERATED, HEAD, MASK, REQUEST, SCENE, SCENE_INSERTION, SENTENCE, VARIATION
from service.openai_errors import PATHS


@pytest.fixture(scope="module")
def document(address: str) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{address}/openapi.json").json()
    return found


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        yield from ((f"{method} {path}", operation) for method, operation in methods.items())


def test_every_field_is_described(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    bare = [
        f"{name}.{field}"
        for name, schema in schemas.items()
        for field, of in schema.get("properties", {}).items()
        if not (of.get("description") or schemas[of["$ref"].rpartition("/")[2]].get("description"))
    ]
    assert bare == []


def test_every_operation_and_parameter_is_described(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        assert operation.get("description"), name
        assert all(parameter.get("description") for parameter in operation.get("parameters", [])), name


def test_every_answer_is_typed(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        for status, answer in operation["responses"].items():
            kinds = answer.get("content", {})
            assert kinds or status in ("204", "304", "416"), (name, status)
            assert all(kind["schema"] for kind in kinds.values()), (name, status)
            if int(status) >= 400 and kinds:
                shaped = name.partition(" ")[2] in PATHS  # as OpenAI's
                problem = "application/json" if shaped else "application/problem+json"
                assert list(kinds) == [problem], (name, status)


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    def references(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                yield node["$ref"]
            for value in node.values():
                yield from references(value)
        elif isinstance(node, list):
            for value in node:
                yield from references(value)

    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert set(references(document)) <= known


@pytest.mark.parametrize("example", [REQUEST, GENERATED, SENTENCE])
def test_examples_are_requests(example: dict[str, Any]) -> None:
    request = InsertionRequest.model_validate(example)
    found = understand(request.source.prompt, request.prompt, as_tuple(request.subject))
    assert all(subject in example["prompt"] for subject in found.subjects)


def test_the_other_examples_are_what_their_routes_take() -> None:
    VariationRequest.model_validate(VARIATION)
    ImageEditRequest.model_validate(EDIT)
    MaskRequest.model_validate(MASK)
    SceneRequest.model_validate(SCENE)
    SceneInsertionRequest.model_validate(SCENE_INSERTION)
    HeadRequest.model_validate(HEAD)
