"""Estimates: what a submission would cost and come to, without making it."""

from __future__ import annotations

from anyio import to_thread
from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from api_schemas.estimates import Estimate
from service.answers import json_answer
from service.dependencies import GatewayDep, WriterDep
from service.examples import SUBMIT_BODY
from service.openapi import refuses
from service.scenes import estimate_any
from service.submission import parse_submission, read_submission

router = APIRouter(prefix="/v1/estimates", tags=["insertions"])


@router.post(
    "",
    response_model=Estimate,
    openapi_extra={"requestBody": SUBMIT_BODY},
    responses=refuses(
        "malformed_request", "unauthorized", "body_too_large", "unsupported_media_type",
        "invalid_request", "rate_limited", "store_unavailable",
    ),
)  # fmt: skip
async def estimate_insertion(request: Request, gateway: GatewayDep, tenant: WriterDep) -> Response:
    """Judge a submission without making it: what is inferred, what it costs, when it would be done, or why
    it would be refused. What is no `InsertionRequest` at all is a problem here as well."""
    body, parts = await read_submission(request)
    submission = await run_in_threadpool(parse_submission, body, parts)
    found = await to_thread.run_sync(
        estimate_any, gateway, tenant, submission, request.scope, limiter=gateway.submission_threads
    )
    return json_answer(found)
