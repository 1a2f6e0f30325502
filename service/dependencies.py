"""What routes ask for by type: the gateway, the tenant behind a key that may do it, a job of that tenant."""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import date, datetime
from typing import Annotated

from fastapi import Depends, Header, Path, Query, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes
from pydantic import BeforeValidator

from job_store.operations import Operations
from job_store.records import JobRecord
from service.errors import Refusal
from service.gateway import Gateway

bearer = HTTPBearer(auto_error=False, description="An API key: `addit_…`.")


async def gateway(request: Request) -> Gateway:
    """The app's gateway. Async though it waits for nothing: else FastAPI gives it a thread, each time."""
    found: Gateway = request.app.state.gateway
    return found


GatewayDep = Annotated[Gateway, Depends(gateway)]


def tenant(
    request: Request,
    gateway: GatewayDep,
    needed: SecurityScopes,
    presented: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
) -> str:
    """Whose key it is. Raises `Refusal`: unauthorized, the same for no key and a wrong one; forbidden_scope.

    Routes say what a key needs: no route may ask for a tenant without.
    """
    assert needed.scopes, request.url.path
    key = gateway.api_keys.find(presented.credentials) if presented else None
    if key is None:
        detail = "Send a valid key as Authorization: Bearer KEY."
        raise Refusal("unauthorized", detail, headers={"WWW-Authenticate": "Bearer"})
    request.state.tenant = key.tenant
    lacking = [scope for scope in needed.scopes if scope not in key.scopes]
    if lacking:
        data = {"needed": lacking, "scopes": list(key.scopes)}
        raise Refusal("forbidden_scope", f"This key may not do that: it lacks {lacking[0]}.", data=data)
    return key.tenant


ReaderDep = Annotated[str, Security(tenant, scopes=["insertions:read"])]
"""The tenant of a key that may look at insertions, scenes, batches and models."""
WriterDep = Annotated[str, Security(tenant, scopes=["insertions:write"])]
"""Of one that may make, change and remove them."""
ImagesDep = Annotated[str, Security(tenant, scopes=["images"])]
WebhooksDep = Annotated[str, Security(tenant, scopes=["webhooks"])]
UsageDep = Annotated[str, Security(tenant, scopes=["usage"])]
AnyTenantDep = Annotated[str, Depends(tenant)]
"""For dependencies alone: the routes that ask for them say what the key needs."""


admin_bearer = HTTPBearer(auto_error=False, scheme_name="AdminKey", description="ADDIT_ADMIN_KEY.")


def operator(
    gateway: GatewayDep, presented: Annotated[HTTPAuthorizationCredentials | None, Depends(admin_bearer)]
) -> Operations:
    """Let operators in, and nobody where no key is set; what they do is noted with the beginning of their
    key's hash. Raises `Refusal` unauthorized."""
    said = presented.credentials.encode() if presented else b""
    keys = gateway.settings.admin_key.get_secret_value().split()
    matches = [hmac.compare_digest(said, key.encode()) for key in keys]  # all, whichever it is
    if not any(matches):
        detail = "Send the operators' key as Authorization: Bearer KEY."
        raise Refusal("unauthorized", detail, headers={"WWW-Authenticate": "Bearer"})
    return gateway.operations.by(f"key {hashlib.sha256(said).hexdigest()[:8]}")


OPERATORS = Depends(operator)
OperatorDep = Annotated[Operations, OPERATORS]
"""What the operator does, noted as theirs."""


JobId = Annotated[str, Path(description="The job's id: `ins_…`.")]


def job(
    gateway: GatewayDep,
    tenant: AnyTenantDep,
    job_id: JobId,
) -> JobRecord:
    """The tenant's job. Raises `NotFound` for absent and foreign alike."""
    return gateway.store.get(job_id, tenant)


JobDep = Annotated[JobRecord, Security(job, scopes=["insertions:read"])]
OwnJobDep = Annotated[JobRecord, Security(job, scopes=["insertions:write"])]
"""A job to be changed, or made another from."""
Cursor = Annotated[str | None, Query(max_length=200, description="`next_cursor` of the page before.")]
IdempotencyKey = Annotated[
    str | None, Header(min_length=1, max_length=255, description="Makes a repeated request harmless.")
]


def written_out(value: object) -> object:
    """What begins with a day. Raises `ValueError` for a number, which pydantic takes for Unix seconds."""
    if isinstance(value, str) and not re.match(r"\d{4}-\d\d-\d\d", value):
        raise ValueError("is not written as RFC 3339 has it: 2026-01-31, or 2026-01-31T12:00:00Z")
    return value


Moment = Annotated[datetime, BeforeValidator(written_out)]
Day = Annotated[date, BeforeValidator(written_out)]
