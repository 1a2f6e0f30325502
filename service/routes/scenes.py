"""Scenes: begin, add, look, undo, branch, purge."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Path, Query, Request, Security
from fastapi.responses import Response
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from api_schemas.insertions import ImageSource
from api_schemas.scenes import (
    FIRST,
    HeadRequest,
    Scene,
    SceneInsertionRequest,
    SceneList,
    SceneRequest,
    upon,
)
from job_store.artifacts import StorageUnavailable, job_prefix
from job_store.errors import NotFound
from job_store.scenes import SceneRecord
from service.answers import json_answer, replayed_unless
from service.beginning import begin_scene
from service.bodies import parse_json, read_json
from service.dependencies import AnyTenantDep, Cursor, GatewayDep, IdempotencyKey, ReaderDep, WriterDep
from service.errors import Refusal, invalid_field
from service.examples import HEAD_BODY, SCENE_BODY, SCENE_INSERTION_BODY
from service.gateway import Gateway
from service.openapi import refuses
from service.problems import from_validation
from service.routes.insertions import (
    ACCEPTED,
    ENDED,
    Prefer,
    accepted,
)
from service.scene_views import scene_body
from service.scenes import admit_any, standing_head, variation
from service.submission import bytes_of, check_used, read_submission, submission_of
from service.tracing import Traceparent

router = APIRouter(prefix="/v1/scenes", tags=["scenes"])
OF_A_SCENE = refuses("unauthorized", "not_found", "invalid_request", "store_unavailable")


def scene(
    gateway: GatewayDep,
    tenant: AnyTenantDep,
    scene_id: Annotated[str, Path(description="The scene's id: `scn_…`.")],
) -> SceneRecord:
    """The tenant's scene. Raises `NotFound` for absent and foreign alike."""
    return gateway.scenes.get(scene_id, tenant)


SceneDep = Annotated[SceneRecord, Security(scene, scopes=["insertions:read"])]
OwnSceneDep = Annotated[SceneRecord, Security(scene, scopes=["insertions:write"])]
"""A scene to be changed."""


@router.post(
    "",
    summary="Begin Scene",
    status_code=201,
    response_model=Scene,
    response_description="Begun; `Location` names it.",
    openapi_extra={"requestBody": SCENE_BODY},
    responses=refuses(
        "malformed_request", "unauthorized", "body_too_large", "unsupported_media_type", "invalid_request",
        "idempotency_key_reused", "invalid_image", "unsupported_image", "image_too_large",
        "source_unavailable", "rate_limited", "store_unavailable", "storage_full",
    ),
)  # fmt: skip
async def begin(
    request: Request, gateway: GatewayDep, tenant: WriterDep, idempotency_key: IdempotencyKey = None
) -> Response:
    """Begin a scene with a picture, or with a prompt for one: it is made by the first insertion."""
    body, parts = await read_submission(request)
    asked = parse_json(body, SceneRequest)
    images = [asked.source.image] if isinstance(asked.source, ImageSource) else []
    check_used(parts, images)
    data = bytes_of(images[0], "source.image", parts) if images else None
    record, fresh = await to_thread.run_sync(
        begin_scene, gateway, tenant, asked, data, idempotency_key, limiter=gateway.submission_threads
    )
    headers = {"Location": gateway.links.to(f"/v1/scenes/{record.id}"), **replayed_unless(fresh)}
    return json_answer(await run_in_threadpool(scene_body, gateway, record), 201, headers)


@router.get(
    "", response_model=SceneList, responses=refuses("unauthorized", "invalid_request", "store_unavailable")
)
def list_scenes(
    gateway: GatewayDep,
    tenant: ReaderDep,
    limit: Annotated[int, Query(ge=1, le=50, description="Scenes a page.")] = 20,
    cursor: Cursor = None,
) -> Response:
    """The tenant's scenes, newest first."""
    records, next_cursor = gateway.scenes.list(tenant, limit, cursor)
    return json_answer(
        SceneList(data=[scene_body(gateway, record) for record in records], next_cursor=next_cursor)
    )


@router.get("/{scene_id}", response_model=Scene, responses=OF_A_SCENE)
def read_scene(gateway: GatewayDep, record: SceneDep) -> Response:
    """One scene with all of its steps: a tree, each step naming the one it builds upon."""
    return json_answer(scene_body(gateway, record))


@router.post(
    "/{scene_id}/insertions",
    summary="Add To Scene",
    **ACCEPTED,
    openapi_extra={"requestBody": SCENE_INSERTION_BODY},
    responses={
        **ENDED,
        **refuses(
            "malformed_request", "unauthorized", "not_found", "wrong_state", "body_too_large",
            "unsupported_media_type", "invalid_request", "idempotency_key_reused", "invalid_image",
            "unsupported_image", "image_too_large", "unknown_words", "subject_not_in_prompt",
            "subject_not_inferred", "source_prompt_required", "unsupported_size", "unknown_model",
            "unknown_preset", "unsupported_option", "region_empty", "source_unavailable", "prompt_refused",
            "rate_limited", "quota_exceeded", "queue_full", "no_worker", "store_unavailable",
            "moderation_unavailable", "storage_full",
        ),
    },
)  # fmt: skip
async def add(
    request: Request,
    gateway: GatewayDep,
    tenant: WriterDep,
    record: OwnSceneDep,
    idempotency_key: IdempotencyKey = None,
    prefer: Prefer = None,
    traceparent: Traceparent = None,
) -> Response:
    """Add to the head, or to any other step: a branch. The insertion becomes the head at once. Whatever it
    does not touch stays bit for bit as in the scene's first picture."""
    body, parts = await read_submission(request)
    asked = parse_json(body, SceneInsertionRequest)
    try:
        submission = submission_of(upon(record.id, asked), parts)
    except ValidationError as error:
        raise from_validation(error) from None
    made, fresh = await to_thread.run_sync(
        admit_any,
        gateway,
        tenant,
        submission,
        idempotency_key,
        traceparent,
        limiter=gateway.submission_threads,
    )
    return await accepted(request, gateway, made, fresh, prefer)


@router.post(
    "/{scene_id}/undo",
    summary="Undo Step",
    response_model=Scene,
    responses=refuses("unauthorized", "not_found", "wrong_state", "invalid_request", "store_unavailable"),
)
def undo(gateway: GatewayDep, record: OwnSceneDep) -> Response:
    """Go back one step; nothing is lost. At the first picture nothing changes. To redo, choose a head."""
    step, _ = standing_head(gateway, record)
    if step is not None:
        before = record.step(step)
        gateway.scenes.move_head(record, before.parent, before.parent_seed, unless_changed=True)
    return json_answer(scene_body(gateway, gateway.scenes.get(record.id, record.tenant)))


@router.post(
    "/{scene_id}/head",
    response_model=Scene,
    openapi_extra={"requestBody": HEAD_BODY},
    responses=refuses(
        "malformed_request", "unauthorized", "not_found", "body_too_large", "unsupported_media_type",
        "invalid_request", "source_unavailable", "store_unavailable",
    ),
)  # fmt: skip
async def choose_head(request: Request, gateway: GatewayDep, record: OwnSceneDep) -> Response:
    """Let another step, or another variation of it, be what the next insertion builds upon."""
    asked = parse_json(await read_json(request), HeadRequest)
    return json_answer(await run_in_threadpool(_choose_head, gateway, record, asked))


def _choose_head(gateway: Gateway, scene: SceneRecord, asked: HeadRequest) -> Scene:
    step = None if asked.step == FIRST else asked.step
    seed = None if step is None else asked.seed
    try:
        job = gateway.store.find([scene.step(step).id])[0] if step else None
    except NotFound:
        raise invalid_field("step", "is no step of this scene") from None
    if step and job is None:
        raise Refusal("source_unavailable", f"The step {step} is gone.")
    if job is not None and job.result is not None and seed is not None:
        variation(job, seed)
    gateway.scenes.move_head(scene, step, seed)
    return scene_body(gateway, gateway.scenes.get(scene.id, scene.tenant))


@router.delete("/{scene_id}", status_code=204, response_class=Response, responses=OF_A_SCENE)
def purge_scene(gateway: GatewayDep, record: OwnSceneDep) -> Response:
    """Remove a scene with all its steps and pictures, now; a step that runs is canceled and goes then."""
    for job_id in gateway.scenes.delete(record.id, record.tenant):
        prefix = job_prefix(record.tenant, job_id)
        with suppress(StorageUnavailable):  # the reconciler removes what is left
            gateway.artifacts.delete(prefix)
            gateway.store.purged(prefix)
    return Response(status_code=204)
