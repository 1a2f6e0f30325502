"""Insertions: submit, vary, re-mask, look, follow, drop a seed, cancel, purge."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Header, Path, Query, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from api_schemas.jobs import TERMINAL, InsertionJob, InsertionList, JobStatus
from api_schemas.masks import MaskRequest
from api_schemas.variations import VariationRequest, given
from job_store.artifacts import StorageUnavailable, job_prefix
from job_store.listing import Wanted
from job_store.records import JobRecord
from service.answers import job_answer, job_body, json_answer, not_modified, replayed_unless
from service.bodies import parse_json, read_json
from service.dependencies import (
    Cursor,
    GatewayDep,
    IdempotencyKey,
    JobDep,
    Moment,
    OwnJobDep,
    ReaderDep,
    WriterDep,
)
from service.dropping import drop_seed
from service.examples import MASK_BODY, SUBMIT_BODY, VARIATION_BODY
from service.gateway import Gateway
from service.masks import admit_mask
from service.openapi import refuses, server_sent
from service.scenes import admit_any
from service.streams import EventStream, job_events
from service.submission import parse_submission, read_submission
from service.tracing import Traceparent
from service.variations import admit_variation
from service.waiting import MAX_WAIT_SECONDS, preferred_wait, wait_for

router = APIRouter(prefix="/v1/insertions", tags=["insertions"])
OF_A_JOB = refuses("unauthorized", "not_found", "invalid_request", "store_unavailable")
STREAM = {"content": server_sent("JobEvent", id_too=True)}

ACCEPTED: dict[str, Any] = {
    "status_code": 202,
    "response_model": InsertionJob,
    "response_description": "Accepted; `Location` names the job.",
}
ENDED: dict[int | str, dict[str, Any]] = {
    200: {"model": InsertionJob, "description": "It ended within `Prefer: wait`."}
}
Prefer = Annotated[
    str | None, Header(description="`wait=N` (1..60): answer when it ended, or after N seconds.")
]


@router.post(
    "",
    summary="Submit Insertion",
    **ACCEPTED,
    openapi_extra={"requestBody": SUBMIT_BODY},
    responses={
        **ENDED,
        **refuses(
            "malformed_request", "unauthorized", "body_too_large", "unsupported_media_type",
            "invalid_request", "wrong_state", "idempotency_key_reused", "invalid_image", "unsupported_image",
            "image_too_large", "quota_exceeded", "unknown_words", "subject_not_in_prompt",
            "subject_not_inferred",
            "source_prompt_required", "unsupported_size", "unknown_model", "unknown_preset",
            "unsupported_option", "region_empty", "source_unavailable", "prompt_refused", "rate_limited",
            "quota_exceeded", "queue_full", "no_worker", "store_unavailable", "moderation_unavailable",
            "storage_full",
        ),
    },
)  # fmt: skip
async def submit(
    request: Request,
    gateway: GatewayDep,
    tenant: WriterDep,
    idempotency_key: IdempotencyKey = None,
    prefer: Prefer = None,
    traceparent: Traceparent = None,
) -> Response:
    """Add an object to a picture. Answers at once; the job is followed by polling, events or a webhook."""
    body, parts = await read_submission(request)

    def take() -> tuple[JobRecord, bool]:  # in one turn of a thread
        submission = parse_submission(body, parts)
        return admit_any(gateway, tenant, submission, idempotency_key, traceparent)

    record, fresh = await to_thread.run_sync(take, limiter=gateway.submission_threads)
    return await accepted(request, gateway, record, fresh, prefer)


async def accepted(
    request: Request, gateway: Gateway, record: JobRecord, fresh: bool, prefer: str | None
) -> Response:
    """The answer to a submission: at once, or when the job ended if that is preferred."""
    request.state.job_id = record.id
    seconds = preferred_wait(prefer)
    record = await wait_for(gateway, record, seconds)
    headers = {"Location": gateway.links.to(f"/v1/insertions/{record.id}")}
    headers |= {"Preference-Applied": f"wait={seconds}"} if seconds else {}
    headers |= replayed_unless(fresh)
    status = 200 if seconds and record.status in TERMINAL else 202
    return await run_in_threadpool(job_answer, gateway, record, status, headers)


@router.get(
    "",
    response_model=InsertionList,
    responses=refuses("unauthorized", "invalid_request", "store_unavailable"),
)
def list_insertions(
    gateway: GatewayDep,
    tenant: ReaderDep,
    limit: Annotated[int, Query(ge=1, le=100, description="Jobs a page.")] = 20,
    cursor: Cursor = None,
    status: Annotated[JobStatus | None, Query(description="Only jobs in this state.")] = None,
    parent: Annotated[
        str | None, Query(max_length=64, description="Only jobs that vary or re-mask this one: `ins_…`.")
    ] = None,
    scene: Annotated[
        str | None, Query(max_length=64, description="Only steps of this scene: `scn_…`.")
    ] = None,
    created_after: Annotated[
        Moment | None, Query(description="Only jobs accepted at this moment or later.")
    ] = None,
    created_before: Annotated[
        Moment | None, Query(description="Only jobs accepted before this moment.")
    ] = None,
) -> Response:
    """The tenant's jobs, newest first. With `status`, `parent` or `scene` a page may be short though
    more follow."""
    wanted = Wanted(status, parent, created_after, created_before, scene)
    records, next_cursor = gateway.store.list(tenant, limit, cursor, wanted)
    page = InsertionList(data=[job_body(gateway, record) for record in records], next_cursor=next_cursor)
    return json_answer(page)


@router.get(
    "/{job_id}",
    summary="Read Insertion",
    response_model=InsertionJob,
    responses={304: {"description": "Unchanged since `If-None-Match`."}, **OF_A_JOB},
)
async def read(
    gateway: GatewayDep,
    record: JobDep,
    wait: Annotated[
        int, Query(ge=0, le=MAX_WAIT_SECONDS, description="Answer when it ended, or after this long.")
    ] = 0,
    if_none_match: Annotated[str | None, Header(description="An `ETag` of an earlier answer.")] = None,
) -> Response:
    """One job."""
    record = await wait_for(gateway, record, wait)
    return not_modified(await run_in_threadpool(job_answer, gateway, record), if_none_match)


@router.get(
    "/{job_id}/events",
    response_class=Response,
    responses={
        200: {**STREAM, "description": "Server-Sent Events, one `JobEvent` each, until `completed`."},
        **refuses("unauthorized", "not_found", "invalid_request", "rate_limited", "store_unavailable"),
    },
)
async def follow_events(
    gateway: GatewayDep,
    record: JobDep,
    last_event_id: Annotated[
        str | None, Header(pattern=r"^\d{1,20}-\d{1,20}$", description="Resume after this event.")
    ] = None,
) -> Response:
    """What happens to the job, as it happens, from the beginning or after `Last-Event-ID`."""
    return EventStream(gateway, record.tenant, job_events(gateway, record.id, last_event_id))


@router.post(
    "/{job_id}/cancel",
    summary="Cancel Insertion",
    response_model=InsertionJob,
    response_description="Canceled.",
    responses={
        202: {"model": InsertionJob, "description": "It runs; it stops within one step."},
        **refuses("unauthorized", "not_found", "wrong_state", "invalid_request", "store_unavailable"),
    },
)
def cancel(gateway: GatewayDep, record: OwnJobDep) -> Response:
    """Stop a job. Canceling a canceled job again changes nothing."""
    record = gateway.store.cancel(record.id, record.tenant)
    return job_answer(gateway, record, 200 if record.status == "canceled" else 202)


@router.delete(
    "/{job_id}/seeds/{seed}",
    summary="Drop Seed",
    response_model=InsertionJob,
    response_description="It was the last: the job is canceled.",
    responses={
        202: {"model": InsertionJob, "description": "A running job goes on without it within one step."},
        **refuses("unauthorized", "not_found", "wrong_state", "invalid_request", "store_unavailable"),
    },
)
def drop(
    gateway: GatewayDep,
    record: OwnJobDep,
    seed: Annotated[int, Path(ge=0, lt=2**32, description="The seed, one of `request.seeds`.")],
) -> Response:
    """Drop a variation: nothing more is computed of it, the others are what they would have been. Without
    the last one the job is canceled. Dropping a dropped seed again changes nothing."""
    record = drop_seed(gateway, record, seed)
    return job_answer(gateway, record, 200 if record.status == "canceled" else 202)


@router.post(
    "/{job_id}/variations",
    **ACCEPTED,
    openapi_extra={"requestBody": VARIATION_BODY},
    responses={
        **ENDED,
        **refuses(
            "malformed_request", "unauthorized", "not_found", "body_too_large", "unsupported_media_type",
            "invalid_request", "idempotency_key_reused", "unknown_words", "subject_not_in_prompt",
            "subject_not_inferred", "source_prompt_required", "unknown_model", "unknown_preset",
            "unsupported_option", "source_unavailable", "prompt_refused", "rate_limited", "quota_exceeded",
            "queue_full", "no_worker", "store_unavailable", "moderation_unavailable", "storage_full",
        ),
    },
)  # fmt: skip
async def submit_variation(
    request: Request,
    gateway: GatewayDep,
    parent: OwnJobDep,
    idempotency_key: IdempotencyKey = None,
    prefer: Prefer = None,
    traceparent: Traceparent = None,
) -> Response:
    """Vary a job: more seeds, other words or options on the same source, whose passes are remembered."""
    asked = parse_json(await read_json(request), VariationRequest)
    record, fresh = await to_thread.run_sync(
        admit_variation,
        gateway,
        parent,
        given(asked),
        idempotency_key,
        traceparent,
        limiter=gateway.submission_threads,
    )
    return await accepted(request, gateway, record, fresh, prefer)


@router.post(
    "/{job_id}/mask",
    **ACCEPTED,
    openapi_extra={"requestBody": MASK_BODY},
    responses={
        **ENDED,
        **refuses(
            "malformed_request", "unauthorized", "not_found", "wrong_state", "body_too_large",
            "unsupported_media_type", "invalid_request", "idempotency_key_reused", "invalid_image",
            "unsupported_image", "image_too_large", "unknown_words", "unknown_model", "unsupported_option",
            "source_unavailable", "rate_limited", "quota_exceeded", "queue_full", "no_worker",
            "store_unavailable", "storage_full",
        ),
    },
)  # fmt: skip
async def submit_mask(
    request: Request,
    gateway: GatewayDep,
    parent: OwnJobDep,
    idempotency_key: IdempotencyKey = None,
    prefer: Prefer = None,
    traceparent: Traceparent = None,
) -> Response:
    """Cut a succeeded job's subject out differently: by another localizer, or a mask of yours. Only the
    steps after the blend are paid where a worker still knows what was before it; `cost.blend` tells."""
    body, parts = await read_submission(request)
    asked = parse_json(body, MaskRequest)
    record, fresh = await to_thread.run_sync(
        admit_mask,
        gateway,
        parent,
        asked,
        parts,
        idempotency_key,
        traceparent,
        limiter=gateway.submission_threads,
    )
    return await accepted(request, gateway, record, fresh, prefer)


@router.delete(
    "/{job_id}",
    summary="Purge Insertion",
    status_code=204,
    response_class=Response,
    responses=refuses("unauthorized", "not_found", "wrong_state", "invalid_request", "store_unavailable"),
)
def purge(gateway: GatewayDep, record: OwnJobDep) -> Response:
    """Remove a job with its pictures and prompts, now, and what workers remember of its source: idle ones
    at once, busy ones after the job in hand. A running job has to be canceled first."""
    gateway.store.delete(record.id, record.tenant)
    prefix = job_prefix(record.tenant, record.id)
    with suppress(StorageUnavailable):  # the reconciler removes what is left
        gateway.artifacts.delete(prefix)
        gateway.store.purged(prefix)
    return Response(status_code=204)
