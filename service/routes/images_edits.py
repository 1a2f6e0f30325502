"""`POST /v1/images/edits`, shaped like OpenAI's: its unmodified clients edit pictures here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial
from typing import Any

from anyio import to_thread
from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from api_schemas.events import Preview
from api_schemas.image_edits import ImageEditRequest, ImageEditResponse, OpenAIError
from api_schemas.jobs import TERMINAL
from job_store.errors import NotFound, StoreError, StoreUnavailable, WrongState
from job_store.records import JobRecord
from service.admission import admit
from service.dependencies import GatewayDep, IdempotencyKey, WriterDep
from service.errors import Refusal
from service.examples import EDIT_BODY
from service.gateway import Gateway
from service.image_edits import (
    check_size,
    read_edit,
    to_events,
    to_partial,
    to_response,
    to_submission,
    with_opening,
)
from service.openai_errors import job_error, openai_error
from service.openapi import server_sent
from service.problems import to_refusal
from service.streams import EventStream, until_stopped
from service.tracing import Traceparent
from service.waiting import wait_for

router = APIRouter(prefix="/v1/images/edits", tags=["images"])
LOOK_SECONDS = 5
"""Between two looks whether anybody still waits."""
STOPPING = Refusal("store_unavailable", "This server stops; try again.", headers={"Retry-After": "1"})
EVENTS = server_sent("ImageEditPartial", "ImageEditCompleted")
ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": OpenAIError, "description": "As OpenAI tells it."}
    for status in (400, 401, 403, 409, 429, 500, 503, 507)
}


@router.post(
    "",
    response_model=ImageEditResponse,
    openapi_extra={"requestBody": EDIT_BODY},
    responses={
        200: {
            "description": "The edited pictures; with `stream` as Server-Sent Events.",
            "content": EVENTS,
        },
        **ERRORS,
    },
)
async def edit_image(
    request: Request,
    gateway: GatewayDep,
    tenant: WriterDep,
    idempotency_key: IdempotencyKey = None,
    traceparent: Traceparent = None,
) -> Response:
    """Add to a picture and wait for it. Who hangs up cancels the job, unless an Idempotency-Key says that it
    will be asked for again."""
    edit = await read_edit(request)
    edit = await to_thread.run_sync(with_opening, gateway, edit, limiter=gateway.submission_threads)
    submission = await run_in_threadpool(to_submission, edit, idempotency_key)
    record, _ = await to_thread.run_sync(
        partial(admit, check_size=partial(check_size, edit.request)),
        gateway,
        tenant,
        submission,
        idempotency_key,
        traceparent,
        limiter=gateway.submission_threads,
    )
    request.state.job_id = record.id
    kept = idempotency_key is not None
    if edit.request.stream:
        return await _stream(gateway, record, edit.request, kept)
    record = await _until_ended(request, gateway, record, kept)
    if record.status != "succeeded":
        status, body = job_error(record)
        return _json(body, status, {"X-Should-Retry": "false"})
    return _json(await run_in_threadpool(to_response, gateway, record, edit.request))


async def _until_ended(request: Request, gateway: Gateway, record: JobRecord, kept: bool) -> JobRecord:
    """The ended record. Raises `Refusal` when the process stops, `ClientDisconnect` when nobody waits."""
    while record.status not in TERMINAL:
        record = await wait_for(gateway, record, LOOK_SECONDS)
        if await request.is_disconnected():
            if not kept:
                await run_in_threadpool(_cancel, gateway, record)
            raise ClientDisconnect
        if gateway.stopping.is_set():
            raise STOPPING
    return record


async def _stream(gateway: Gateway, record: JobRecord, asked: ImageEditRequest, kept: bool) -> Response:
    """Raises `Refusal` where the tenant has too many streams; the job is canceled then."""
    try:
        return EventStream(gateway, record.tenant, _events(gateway, record, asked, kept))
    except Refusal:
        await run_in_threadpool(_cancel, gateway, record)
        raise


async def _events(
    gateway: Gateway, record: JobRecord, asked: ImageEditRequest, kept: bool
) -> AsyncIterator[bytes]:
    """Partial pictures as they come, then the results or an error."""
    ended = False
    try:
        async for event in until_stopped(gateway, record.id, None):
            if event is None:
                yield b": heartbeat\n\n"
            elif event.type == "preview":
                shown = Preview.model_validate(event.data)
                yield _encode(await run_in_threadpool(to_partial, gateway, shown, asked))
            ended = event is not None and event.type == "completed"
        if not ended:
            raise STOPPING
        async for last in _last(gateway, record, asked):
            yield last
    except (StoreError, Refusal) as error:
        _, body = openai_error(to_refusal(error))
        yield _encode(body, "error")
    finally:
        if not ended and not kept:  # nothing can be awaited where a reader has left
            asyncio.get_running_loop().run_in_executor(None, _cancel, gateway, record)


async def _last(gateway: Gateway, record: JobRecord, asked: ImageEditRequest) -> AsyncIterator[bytes]:
    record = await run_in_threadpool(gateway.store.get, record.id, record.tenant)
    if record.status != "succeeded":
        yield _encode(job_error(record)[1], "error")
        return
    for event in await run_in_threadpool(lambda: list(to_events(gateway, record, asked))):
        yield _encode(event)


def _cancel(gateway: Gateway, record: JobRecord) -> None:
    with suppress(NotFound, WrongState, StoreUnavailable):
        gateway.store.cancel(record.id, record.tenant)


def _encode(body: BaseModel, name: str = "") -> bytes:
    """An event named by its type."""
    kind = name or getattr(body, "type", "")
    return f"event: {kind}\ndata: {body.model_dump_json()}\n\n".encode()


def _json(body: BaseModel, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    fixed = {"Cache-Control": "private, no-store", **(headers or {})}
    return Response(body.model_dump_json(exclude_none=status < 400), status, fixed, "application/json")
