"""Every error becomes one problem+json answer, here and nowhere else: ours, the store's, the framework's."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from http import HTTPStatus

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.routing import APIRoute
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from api_schemas.errors import FieldError, Problem, RequestErrorCode
from job_store.artifacts import ArtifactMissing, StorageFull, StorageUnavailable
from job_store.errors import (
    BadCursor,
    EndpointDisabled,
    IdempotencyKeyReused,
    NotFound,
    QueueFull,
    QuotaExceeded,
    RateLimited,
    SceneFull,
    StoreError,
    StoreUnavailable,
    TooManyEndpoints,
    TooManyKeys,
    WrongState,
)
from service.errors import Refusal
from service.openai_errors import PATHS, openai_error, openai_headers

MEDIA_TYPE = "application/problem+json"
FRAMEWORK_CODES: Mapping[int, RequestErrorCode] = {404: "not_found", 405: "method_not_allowed"}
"""Statuses the framework raises by itself; any other of its 4xx means a malformed request."""
MADE: Mapping[str, str] = {"we": "endpoint_id", "bat": "batch_id", "scn": "scene_id", "img": "image_id"}
"""What an idempotency key may have made besides jobs, by its id's prefix."""
log = structlog.get_logger("service")
RETRY: Mapping[str, str] = {"Retry-After": "2"}


def install(app: FastAPI, routes: Sequence[APIRoute]) -> None:
    """Answer every foreseen exception of a route with a problem; the unforeseen are `request_hop`'s."""

    async def problem(request: Request, error: Exception) -> Response:
        refusal = to_refusal(error)
        if refusal.code == "method_not_allowed":
            refusal.headers.update(allow(routes, request.url.path))
        if refusal.status >= 500 and refusal is not error:
            log.warning("store failed", request_id=request.state.request_id, error=str(error))
        return answer(refusal, request.scope)

    for kind in (Refusal, StoreError, HTTPException, RequestValidationError):
        app.add_exception_handler(kind, problem)


def allow(routes: Sequence[APIRoute], path: str) -> dict[str, str]:
    """The header with all methods of a path; the framework tells those of one route (RFC 9110, 15.5.6)."""
    matching = [route for route in routes if route.path_regex.match(path)]
    if not matching:
        return {}
    nearest = min(matching, key=lambda route: route.path.count("{")).path
    methods = {method for route in matching if route.path == nearest for method in route.methods or ()}
    return {"Allow": ", ".join(sorted(methods))}


def answer(refusal: Refusal, scope: Mapping[str, object]) -> Response:
    """The answer to a refused request, in the shape of its path."""
    if scope.get("path") in PATHS:
        status, body = openai_error(refusal)
        return Response(body.model_dump_json(), status, openai_headers(refusal), "application/json")
    problem = to_problem(refusal, scope)
    return Response(problem.model_dump_json(), refusal.status, refusal.headers, MEDIA_TYPE)


def to_problem(refusal: Refusal, scope: Mapping[str, object]) -> Problem:
    """What a refusal tells the client."""
    state = scope.get("state")
    return Problem(
        title=HTTPStatus(refusal.status).phrase,
        status=refusal.status,
        code=refusal.code,
        detail=refusal.detail,
        errors=refusal.errors,
        data=refusal.data,
        request_id=state.get("request_id") if isinstance(state, dict) else None,
    )


def to_refusal(error: Exception) -> Refusal:
    """The refusal that an exception means; an unknown one is `internal` and says nothing of itself."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, RequestValidationError):
        return from_fields(field_errors(error.errors()))
    if isinstance(error, HTTPException):
        code = FRAMEWORK_CODES.get(error.status_code, "malformed_request")
        return Refusal(code, f"{error.detail}.", headers=error.headers)
    return _from_store(error)


def _from_store(error: Exception) -> Refusal:
    if isinstance(error, NotFound | ArtifactMissing):
        return Refusal("not_found", "There is nothing here.")
    if isinstance(error, WrongState):
        return Refusal("wrong_state", f"Not now: {error}.")
    if isinstance(error, IdempotencyKeyReused):
        detail = "This Idempotency-Key was used with another request."
        kind = MADE.get(error.job_id.partition("_")[0], "job_id")
        return Refusal("idempotency_key_reused", detail, data={kind: error.job_id})
    if isinstance(error, EndpointDisabled):
        return Refusal("wrong_state", "Not now: the endpoint is disabled; enable it first.")
    if isinstance(error, TooManyEndpoints):
        return Refusal("quota_exceeded", "There may be no more webhook endpoints; delete one first.")
    if isinstance(error, TooManyKeys):
        return Refusal("quota_exceeded", "There are two keys of this name, or twenty; revoke one first.")
    if isinstance(error, SceneFull):
        return Refusal(
            "quota_exceeded", "The scene has as many steps as it may; begin another from a picture of it."
        )
    if isinstance(error, BadCursor):
        return from_fields([FieldError(path="query.cursor", message="is not a cursor of this list")])
    if isinstance(error, QueueFull):
        return Refusal(
            "queue_full", "Too many jobs are waiting for this model.", headers={"Retry-After": "30"}
        )
    if isinstance(error, QuotaExceeded):
        detail = "As many of your jobs wait as may; wait for some, or cancel them."
        return Refusal("quota_exceeded", detail, headers={"Retry-After": "30"})
    if isinstance(error, RateLimited):
        seconds = {"Retry-After": str(math.ceil(error.wait_ms / 1000))}
        return Refusal("rate_limited", "You ask more often than you may in a minute.", headers=seconds)
    if isinstance(error, StorageFull):
        return Refusal("storage_full", "There is no room left for pictures.")
    if isinstance(error, StoreUnavailable | StorageUnavailable):
        return Refusal("store_unavailable", "The store does not answer; try again.", headers=RETRY)
    return Refusal("internal", "Something went wrong here; the request id helps us find it.")


def from_fields(errors: list[FieldError]) -> Refusal:
    """invalid_request with its fields."""
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return Refusal("invalid_request", f"{errors[0].path}: {errors[0].message}{more}", errors=errors)


def field_errors(errors: object) -> list[FieldError]:
    """Pydantic's and FastAPI's errors as ours. The input that was wrong is not repeated."""
    assert isinstance(errors, list | tuple)
    return [FieldError(path=".".join(map(str, error["loc"])), message=error["msg"]) for error in errors]


def from_validation(error: ValidationError) -> Refusal:
    """invalid_request from a pydantic error."""
    return from_fields(
        field_errors(error.errors(include_url=False, include_context=False, include_input=False))
    )
