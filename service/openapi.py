"""The API's description: FastAPI's own, with the bodies, problems, headers and examples it cannot see."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from api_schemas.admin import OwnLimits
from api_schemas.batches import BatchResult
from api_schemas.errors import Problem, RequestErrorCode
from api_schemas.events import JobEvent, Preview
from api_schemas.image_edits import ImageEditCompleted, ImageEditPartial, ImageEditRequest
from api_schemas.keys import KeyRequest, KeyRotation
from api_schemas.masks import MaskRequest
from api_schemas.scenes import HeadRequest, SceneInsertionRequest, SceneRequest
from api_schemas.variations import VariationRequest
from api_schemas.webhooks import NewWebhookEndpoint, ReplayFailed, SecretRotation, WebhookEndpointChange
from service.answer_examples import EXAMPLES
from service.answer_headers import headers_of
from service.errors import STATUS
from service.openai_errors import PATHS
from service.problems import MEDIA_TYPE

ANYWHERE: tuple[RequestErrorCode, ...] = ("internal",)
OPERATORS_MODELS: tuple[type[BaseModel], ...] = (Problem, OwnLimits, KeyRequest, KeyRotation)
TENANTS_MODELS: tuple[type[BaseModel], ...] = (
    Problem, JobEvent, Preview, VariationRequest, MaskRequest,
    ImageEditRequest, ImageEditPartial, ImageEditCompleted,
    SceneRequest, SceneInsertionRequest, HeadRequest, BatchResult,
    NewWebhookEndpoint, WebhookEndpointChange, SecretRotation, ReplayFailed,
)  # fmt: skip
"""What routes read or send past FastAPI."""
TITLE = "Add-it: objects into pictures"
OPERATORS_TITLE = f"{TITLE}, for operators"


def refuses(*codes: RequestErrorCode) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may refuse with these codes."""
    by_status: dict[int | str, list[RequestErrorCode]] = defaultdict(list)
    for code in (*codes, *ANYWHERE):
        by_status[STATUS[code]].append(code)
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {
            "description": "Problem: " + " or ".join(f"`{code}`" for code in found),
            "content": {MEDIA_TYPE: {"schema": schema, "examples": _named(found)}},
        }
        for status, found in by_status.items()
    }


def _problem(code: RequestErrorCode) -> dict[str, Any]:
    """An example of a code."""
    status, words = STATUS[code], code.replace("_", " ").capitalize()
    problem = Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        code=code,
        detail="What went wrong and what would help.",
        request_id="req_0f9a31",
    )
    return {"summary": words, "value": problem.model_dump(mode="json")}


def describe(app: FastAPI, models: Iterable[type[BaseModel]]) -> dict[str, Any]:
    """The OpenAPI document, made once. models: those that FastAPI does not see."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
            webhooks=app.webhooks.routes,
            separate_input_output_schemas=False,
        )
        for model in models:
            schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
            document["components"]["schemas"] |= schema.pop("$defs", {}) | {model.__name__: schema}
        _with_missing_scopes(document)
        _without_frameworks_own(document)
        _complete(document)
        app.openapi_schema = document
    return app.openapi_schema


def _with_missing_scopes(document: dict[str, Any]) -> None:
    """Every call that asks for a tenant's key refuses one without the scope it names."""
    for methods in document["paths"].values():
        for operation in methods.values():
            if any("HTTPBearer" in way for way in operation.get("security", ())):
                for status, answer in refuses("forbidden_scope").items():
                    operation["responses"].setdefault(str(status), answer)


def _without_frameworks_own(document: dict[str, Any]) -> None:
    """Drop FastAPI's answer to invalid parameters where ours is of another status."""
    for path in PATHS & document["paths"].keys():
        document["paths"][path]["post"]["responses"].pop("422", None)
    for name in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(name, None)


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(path, operation) of every call."""
    for path, methods in document["paths"].items():
        yield from ((path, operation) for operation in methods.values())


def _complete(document: dict[str, Any]) -> None:
    """Give every answer its headers and an example, and every webhook an example."""
    for path, operation in operations(document):
        for status, answer in operation["responses"].items():
            answer["headers"] = headers_of(path, operation, status, answer)
            if answer["description"] == "Successful Response":
                answer["description"] = "Done."
            for content in answer.get("content", {}).values():
                _exemplify(content)
    for message in document.get("webhooks", {}).values():
        _exemplify(message["post"]["requestBody"]["content"]["application/json"])
    answers = {
        name: {"summary": f"{name}.", "value": value}
        for name, value in EXAMPLES.items()
        if name in document["components"]["schemas"]
    }
    document["components"]["examples"] = answers | {code: _problem(code) for code in STATUS}


def _exemplify(content: dict[str, Any]) -> None:
    name = content["schema"].get("$ref", "").rpartition("/")[2]
    if name in EXAMPLES and not {"example", "examples"} & content.keys():
        content["examples"] = _named([name])


def _named(names: Iterable[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/examples/{name}"} for name in names}


def server_sent(*models: str, id_too: bool = False) -> dict[str, Any]:
    """A stream's content: what one event is, its data being the JSON of one of these models (OpenAPI 3.2's
    way of telling it)."""
    schemas = [{"$ref": f"#/components/schemas/{model}"} for model in models]
    fields = {
        "event": {"type": "string", "description": "The type of its data."},
        "data": {
            "type": "string",
            "description": "JSON.",
            "contentMediaType": "application/json",
            "contentSchema": schemas[0] if len(schemas) == 1 else {"oneOf": schemas},
        },
    }
    if id_too:
        fields["id"] = {"type": "string", "description": "For `Last-Event-ID`."}
    told = EXAMPLES[models[-1]]
    example = f"event: {told['type']}\ndata: {json.dumps(told)}\n\n"
    example = f"id: {told['id']}\n{example}" if id_too else example
    schema = {"type": "object", "properties": fields, "required": ["data"]}
    return {
        "text/event-stream": {
            "schema": schema,
            "example": example,
        }
    }
