"""Pictures of a tenant's own, uploaded once and used by id."""

from __future__ import annotations

import hashlib
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from api_schemas.images import ImageAsset
from job_store.images import ImageRecord
from job_store.records import JobRecord
from service.admission import idempotency_of
from service.answers import json_answer, replayed_unless
from service.bodies import FORM, media_type, read_form, unsupported
from service.dependencies import GatewayDep, IdempotencyKey, ImagesDep
from service.errors import Refusal
from service.examples import IMAGE_BODY
from service.gateway import Gateway
from service.keeping import keep_image
from service.openapi import refuses
from service.result_images import find_result, take_result
from service.retention import kept

router = APIRouter(prefix="/v1/images", tags=["images"])
FILE_PART = "file"


@router.post(
    "",
    summary="Upload Image",
    status_code=201,
    response_model=ImageAsset,
    response_description="Taken in; `Location` names it.",
    openapi_extra={"requestBody": IMAGE_BODY},
    responses=refuses(
        "malformed_request", "unauthorized", "body_too_large", "unsupported_media_type", "invalid_image",
        "unsupported_image", "image_too_large", "invalid_request", "idempotency_key_reused", "rate_limited",
        "store_unavailable", "storage_full",
    ),
)  # fmt: skip
async def upload(
    request: Request, gateway: GatewayDep, tenant: ImagesDep, idempotency_key: IdempotencyKey = None
) -> Response:
    """Keep a picture for later insertions."""
    data = await _picture_of(request)
    record, fresh = await to_thread.run_sync(
        _keep, gateway, tenant, data, idempotency_key, limiter=gateway.submission_threads
    )
    headers = {"Location": gateway.links.to(f"/v1/images/{record.id}"), **replayed_unless(fresh)}
    return json_answer(_asset(gateway, record), 201, headers)


@router.get(
    "/{image_id}",
    response_model=ImageAsset,
    responses=refuses("unauthorized", "not_found", "invalid_request", "store_unavailable"),
)
def read_image(
    gateway: GatewayDep,
    tenant: ImagesDep,
    image_id: Annotated[str, Path(description="The image's id: `img_…`.")],
) -> Response:
    """One picture, uploaded or of a result, with a fresh link."""
    result = find_result(gateway, tenant, image_id)
    if result is not None:
        return json_answer(_result_asset(gateway, image_id, *result))
    return json_answer(_asset(gateway, gateway.images.get(image_id, tenant)))


async def _picture_of(request: Request) -> bytes:
    kind = media_type(request)
    if kind == FORM:
        form = await read_form(request)
        if set(form.files) != {FILE_PART}:
            raise Refusal("malformed_request", f"Send one file part named {FILE_PART!r}.")
        return form.files[FILE_PART]
    if not kind.startswith("image/"):
        raise unsupported("image/png", "image/jpeg", "image/webp", FORM)
    return await request.body()


def _keep(gateway: Gateway, tenant: str, data: bytes, key: str | None) -> tuple[ImageRecord, bool]:
    """(the picture's record, whether it is new or the same upload again)."""
    picture = gateway.decoders.take_in(data)
    seconds = kept(gateway, tenant, gateway.settings.image_retain_seconds)
    idempotency = idempotency_of(key, lambda: hashlib.sha256(data).hexdigest())
    return keep_image(gateway, tenant, picture, seconds, idempotency)


def _result_asset(gateway: Gateway, image_id: str, record: JobRecord, key: str) -> ImageAsset:
    picture = take_result(gateway, key)
    assert record.completed_at is not None, "a job with a result has ended"
    return ImageAsset(
        id=image_id,
        created_at=record.completed_at,
        expires_at=record.delete_at or record.completed_at,
        width=picture.width,
        height=picture.height,
        sha256=picture.sha256,
        url=gateway.links.artifact(key),
    )


def _asset(gateway: Gateway, record: ImageRecord) -> ImageAsset:
    return ImageAsset(
        id=record.id,
        created_at=record.created_at,
        expires_at=record.expires_at,
        width=record.width,
        height=record.height,
        sha256=record.sha256,
        url=gateway.links.artifact(record.key),
    )
