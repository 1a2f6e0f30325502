"""The description is complete: nothing without words, no answer without a type, examples that hold."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema_rs import validator_for

from api_schemas.image_edits import ImageEditRequest
from api_schemas.insertions import InsertionRequest
from api_schemas.masks import MaskRequest
from api_schemas.scenes import HeadRequest, SceneInsertionRequest, SceneRequest
from api_schemas.sentences.inference import understand
from api_schemas.subjects import as_tuple
from api_schemas.variations import VariationRequest
from service.document import OPERATORS, TENANTS, text_of
from service.examples import EDIT, GENERATED, HEAD, MASK, REQUEST, SCENE, SCENE_INSERTION, SENTENCE, VARIATION
from service.openai_errors import PATHS


@pytest.fixture(scope="module", params=[TENANTS, OPERATORS], ids=lambda place: place.stem)
def place(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


@pytest.fixture(scope="module")
def document(place: Path, address: str, admin_address: str) -> dict[str, Any]:
    served = address if place == TENANTS else admin_address
    found: dict[str, Any] = httpx.get(f"{served}/openapi.json", timeout=60).json()
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


def test_no_two_operations_have_the_same_name(document: dict[str, Any]) -> None:
    named = [operation["summary"] for _, operation in operations(document)]
    assert len(named) == len(set(named))
    assert all(" " in name for name in named if name not in ("Livez", "Readyz", "Metrics"))


def test_every_operation_and_parameter_is_described(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        assert operation.get("description"), name
        assert all(parameter.get("description") for parameter in operation.get("parameters", [])), name
        assert all(answer.get("description") for answer in operation["responses"].values()), name
    assert all(schema.get("description") for schema in document["components"]["schemas"].values())


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


def test_every_answer_tells_its_headers(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        for status, answer in operation["responses"].items():
            headers = answer["headers"]
            assert "X-Request-Id" in headers, (name, status)
            assert all(header["description"] and header["schema"] for header in headers.values())
            assert ("WWW-Authenticate" in headers) == (status == "401"), (name, status)
            assert ("Location" in headers) or status != "201", name


def contents(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(where, media type, content) of all bodies, answers and webhooks."""
    for name, operation in operations(document):
        for status, answer in operation["responses"].items():
            yield from ((f"{name} {status}", kind, one) for kind, one in answer.get("content", {}).items())
        for kind, one in operation.get("requestBody", {}).get("content", {}).items():
            yield name, kind, one
    for name, message in document.get("webhooks", {}).items():
        for kind, one in message["post"]["requestBody"]["content"].items():
            yield name, kind, one


def test_every_body_and_answer_has_an_example(document: dict[str, Any]) -> None:
    """But pictures, and forms that hold one."""
    shown = [one for one in contents(document) if not one[1].startswith(("image/", "multipart/"))]
    assert [(where, kind) for where, kind, one in shown if not {"example", "examples"} & one.keys()] == []


def test_every_example_is_what_its_schema_says(document: dict[str, Any]) -> None:
    known = document["components"]["examples"]
    for where, kind, content in contents(document):
        if "json" not in kind or kind.endswith(("jsonl", "ndjson")):
            continue
        schema = {**content["schema"], "components": document["components"]}
        for example in content.get("examples", {"": {"value": content.get("example")}}).values():
            value = known[example["$ref"].rpartition("/")[2]] if "$ref" in example else example
            errors = [error.message for error in validator_for(schema).iter_errors(value["value"])]
            assert errors == [], (where, errors)


def test_the_committed_document_is_what_is_served(document: dict[str, Any], place: Path) -> None:
    same = place.read_text() == text_of(document)
    assert same, f"{place} is out of date: run `.venv/bin/python -m service.document`, commit it"


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

    known = {f"#/components/{kind}/{name}" for kind, all_ in document["components"].items() for name in all_}
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
