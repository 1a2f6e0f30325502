"""For operators: tenants' API keys, made, rotated and revoked. The key itself is in one answer only."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from api_schemas.errors import RequestErrorCode
from api_schemas.keys import KeyInfo, KeyList, KeyRequest, KeyRotation, NewKey
from job_store.api_keys import ApiKey
from job_store.operations import Operations
from service.answers import json_answer
from service.bodies import parse_json, read_json
from service.dependencies import OPERATORS, GatewayDep, OperatorDep
from service.openapi import refuses
from service.routes.admin import LISTED, NAMED, TenantName
from service.routes.webhook_endpoints import BODY, UNKEPT, body_of

router = APIRouter(prefix="/admin", tags=["admin"], dependencies=[OPERATORS])
MADE: tuple[RequestErrorCode, ...] = (*BODY, "quota_exceeded")
KeyId = Annotated[str, Path(pattern="^[0-9a-f]{12}$", description="The key's id.")]


@router.get("/tenants/{tenant}/keys", response_model=KeyList, responses=refuses(*LISTED, "invalid_request"))
def list_keys(gateway: GatewayDep, tenant: TenantName) -> Response:
    """A tenant's live keys without their secrets, oldest first."""
    keys = gateway.api_keys.list(tenant)
    return json_answer(KeyList(data=[KeyInfo.model_validate(asdict(key)) for key in keys]))


@router.post(
    "/tenants/{tenant}/keys",
    status_code=201,
    response_model=NewKey,
    response_description="Made; `key` is shown this once.",
    openapi_extra=body_of("KeyRequest", {"name": "shop", "scopes": ["insertions:read", "insertions:write"]}),
    responses=refuses(*LISTED, *MADE, "invalid_request"),
)
async def create_key(request: Request, acting: OperatorDep, tenant: TenantName) -> Response:
    """Make a key of a tenant, at most two of a name and twenty in all. It may do what its scopes say."""
    asked = parse_json(await read_json(request), KeyRequest)
    return await to_thread.run_sync(_create, acting, tenant, asked)


@router.post(
    "/keys/{key_id}/rotate",
    status_code=201,
    response_model=NewKey,
    response_description="Made; `key` is shown this once.",
    openapi_extra=body_of("KeyRotation", {"overlap_seconds": 3600}),
    responses=refuses(*NAMED, *MADE),
)
async def rotate_key(request: Request, acting: OperatorDep, key_id: KeyId) -> Response:
    """Make a new key that may do the same. The old one works beside it until the overlap ends."""
    asked = parse_json(await read_json(request), KeyRotation)
    return await to_thread.run_sync(_rotate, acting, key_id, asked)


@router.delete("/keys/{key_id}", status_code=204, response_class=Response, responses=refuses(*NAMED))
def revoke_key(acting: OperatorDep, key_id: KeyId) -> Response:
    """End a key at once."""
    acting.revoke_key(key_id)
    return Response(status_code=204)


def _create(acting: Operations, tenant: str, asked: KeyRequest) -> Response:
    return _shown(*acting.create_key(tenant, asked.name, asked.scopes, asked.expires_in_seconds))


def _rotate(acting: Operations, key_id: str, asked: KeyRotation) -> Response:
    return _shown(*acting.rotate_key(key_id, asked.overlap_seconds, asked.expires_in_seconds))


def _shown(made: ApiKey, key: str) -> Response:
    place = {"Location": f"/admin/tenants/{made.tenant}/keys"}
    return json_answer(NewKey.model_validate({**asdict(made), "key": key}), 201, UNKEPT | place)
