"""Pictures behind signed links: the signature is the right to read, no key is asked for."""

from __future__ import annotations

import re
import time
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query
from fastapi.responses import Response

from job_store.links import verify
from service.dependencies import GatewayDep
from service.errors import Refusal
from service.openapi import refuses

router = APIRouter(prefix="/v1/artifacts", tags=["artifacts"])
MEDIA_TYPES = {"png": "image/png", "jpeg": "image/jpeg", "jpg": "image/jpeg", "webp": "image/webp"}
PICTURE = {
    "content": {
        kind: {"schema": {"type": "string", "format": "binary"}} for kind in sorted({*MEDIA_TYPES.values()})
    }
}


@router.get(
    "/{key:path}",
    response_class=Response,
    responses={
        200: {**PICTURE, "description": "The picture."},
        206: {**PICTURE, "description": "The asked-for part of it."},
        416: {"description": "The range lies outside the picture."},
        **refuses("forbidden", "not_found", "invalid_request", "store_unavailable"),
    },
)
def read_artifact(
    gateway: GatewayDep,
    key: Annotated[str, Path(description="As it stands in the link.")],
    expires: Annotated[int, Query(ge=0, lt=2**40, description="Unix seconds.")],
    signature: Annotated[str, Query(max_length=200, description="As it stands in the link.")],
    range_: Annotated[
        str | None, Header(alias="Range", description="One `bytes=` range; several are passed over.")
    ] = None,
) -> Response:
    """A picture of a result or an upload."""
    secret = gateway.settings.signing_secret.get_secret_value()
    if not verify(key, secret, time.time(), expires, signature):
        raise Refusal("forbidden", "The link has expired or was changed; ask for the job again.")
    data = gateway.artifacts.get(key)
    headers = {
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, max-age=3600",
        "X-Content-Type-Options": "nosniff",
    }
    media_type = MEDIA_TYPES.get(key.rpartition(".")[2], "application/octet-stream")
    span = parse_range(range_, len(data))
    if span is None:
        return Response(data, 200, headers, media_type)
    first, last = span
    if first > last:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{len(data)}"})
    headers["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
    return Response(data[first : last + 1], 206, headers, media_type)


def parse_range(value: str | None, size: int) -> tuple[int, int] | None:
    """(first, last) byte of a single range, first > last when it lies outside; None means all (RFC 9110)."""
    found = re.fullmatch(r"bytes=(\d{0,18})-(\d{0,18})", value or "")
    if not found or not any(found.groups()):
        return None
    if not found[1]:
        return (max(0, size - int(found[2])), size - 1) if int(found[2]) else (size, size - 1)
    first, last = int(found[1]), int(found[2] or size - 1)
    if found[2] and last < first:
        return None
    return (first, min(last, size - 1))
