"""The API's description: FastAPI's own, with the bodies and problems it cannot see."""

from __future__ import annotations

from collections import defaultdict
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
from service.errors import STATUS
from service.openai_errors import PATHS
from service.problems import MEDIA_TYPE

ANYWHERE: tuple[RequestErrorCode, ...] = ("internal",)
DOCUMENTED: tuple[type[BaseModel], ...] = (
    OwnLimits, KeyRequest, KeyRotation,
    Problem, JobEvent, Preview, VariationRequest, MaskRequest,
    ImageEditRequest, ImageEditPartial, ImageEditCompleted,
    SceneRequest, SceneInsertionRequest, HeadRequest, BatchResult,
    NewWebhookEndpoint, WebhookEndpointChange, SecretRotation, ReplayFailed,
)  # fmt: skip
"""What routes read or send past FastAPI."""
TITLE = "Add-it: objects into pictures"


def refuses(*codes: RequestErrorCode) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may refuse with these codes."""
    by_status: dict[int | str, list[str]] = defaultdict(list)
    for code in (*codes, *ANYWHERE):
        by_status[STATUS[code]].append(code)
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {
            "description": "Problem: " + " or ".join(f"`{code}`" for code in found),
            "content": {MEDIA_TYPE: {"schema": schema}},
        }
        for status, found in by_status.items()
    }


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, made once."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=TITLE,
            version=app.version,
            description=app.description,
            routes=app.routes,
            webhooks=app.webhooks.routes,
            separate_input_output_schemas=False,
        )
        for model in DOCUMENTED:
            schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
            document["components"]["schemas"] |= schema.pop("$defs", {}) | {model.__name__: schema}
        _with_missing_scopes(document)
        _without_frameworks_own(document)
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
    for path in PATHS:
        document["paths"][path]["post"]["responses"].pop("422", None)
    for name in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(name, None)
