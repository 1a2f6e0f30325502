"""Batches: submit, look, fetch the results, cancel."""

from __future__ import annotations

from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Path, Query, Request, Security
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from api_schemas.batches import Batch, BatchList
from job_store.batches import BatchRecord
from service.answers import json_answer
from service.batches import admit_batch, batch_body, cancel_batch, results
from service.bodies import media_type, unsupported
from service.dependencies import AnyTenantDep, Cursor, GatewayDep, IdempotencyKey, ReaderDep, WriterDep
from service.errors import Refusal
from service.examples import BATCH_BODY, JSON_LINES
from service.openapi import refuses

router = APIRouter(prefix="/v1/batches", tags=["batches"])
OF_A_BATCH = refuses("unauthorized", "not_found", "invalid_request", "store_unavailable")
LINES = {"content": {JSON_LINES[0]: {"schema": {"$ref": "#/components/schemas/BatchResult"}}}}


def batch(
    gateway: GatewayDep,
    tenant: AnyTenantDep,
    batch_id: Annotated[str, Path(description="The batch's id: `bat_…`.")],
) -> BatchRecord:
    """The tenant's batch. Raises `NotFound` for absent and foreign alike."""
    return gateway.batches.get(batch_id, tenant)


BatchDep = Annotated[BatchRecord, Security(batch, scopes=["insertions:read"])]
OwnBatchDep = Annotated[BatchRecord, Security(batch, scopes=["insertions:write"])]
"""A batch to be changed."""


@router.post(
    "",
    status_code=202,
    response_model=Batch,
    response_description="All lines were looked at; `Location` names the batch.",
    openapi_extra={"requestBody": BATCH_BODY},
    responses=refuses(
        "malformed_request", "unauthorized", "body_too_large", "unsupported_media_type", "invalid_request",
        "idempotency_key_reused", "rate_limited", "store_unavailable", "storage_full",
    ),
)  # fmt: skip
async def submit_batch(
    request: Request, gateway: GatewayDep, tenant: WriterDep, idempotency_key: IdempotencyKey = None
) -> Response:
    """Submit up to 1000 insertions at bulk priority, one a line. A line that is refused keeps no other from
    being accepted: the results tell of it. With the same `Idempotency-Key` again nothing is made twice."""
    if media_type(request) not in JSON_LINES:
        raise unsupported(*JSON_LINES)
    body = await request.body()
    record = await to_thread.run_sync(
        admit_batch, gateway, tenant, body, idempotency_key, limiter=gateway.submission_threads
    )
    location = gateway.links.to(f"/v1/batches/{record.id}")
    return json_answer(await run_in_threadpool(batch_body, gateway, record), 202, {"Location": location})


@router.get(
    "", response_model=BatchList, responses=refuses("unauthorized", "invalid_request", "store_unavailable")
)
def list_batches(
    gateway: GatewayDep,
    tenant: ReaderDep,
    limit: Annotated[int, Query(ge=1, le=20, description="Batches a page.")] = 20,
    cursor: Cursor = None,
) -> Response:
    """The tenant's batches, newest first."""
    records, next_cursor = gateway.batches.list(tenant, limit, cursor)
    return json_answer(
        BatchList(data=[batch_body(gateway, record) for record in records], next_cursor=next_cursor)
    )


@router.get("/{batch_id}", response_model=Batch, responses=OF_A_BATCH)
def read_batch(gateway: GatewayDep, record: BatchDep) -> Response:
    """One batch."""
    return json_answer(batch_body(gateway, record))


@router.get(
    "/{batch_id}/results",
    summary="Read Batch Results",
    response_class=Response,
    responses={
        200: {**LINES, "description": "JSONL, a `BatchResult` a line."},
        **refuses("unauthorized", "not_found", "wrong_state", "invalid_request", "store_unavailable"),
    },
)
def read_results(gateway: GatewayDep, record: BatchDep) -> Response:
    """What became of each line, once the batch has ended."""
    status = batch_body(gateway, record).status
    if status not in ("completed", "canceled"):
        raise Refusal("wrong_state", f"Not now: the batch is {status}.")
    lines = (f"{result.model_dump_json()}\n" for result in results(gateway, record))
    return Response("".join(lines), headers={"Cache-Control": "private, no-cache"}, media_type=JSON_LINES[0])


@router.post("/{batch_id}/cancel", summary="Cancel Batch", response_model=Batch, responses=OF_A_BATCH)
def cancel(gateway: GatewayDep, record: OwnBatchDep) -> Response:
    """Stop all jobs that have not ended; again is no error. What is done stays."""
    return json_answer(batch_body(gateway, cancel_batch(gateway, record)))
