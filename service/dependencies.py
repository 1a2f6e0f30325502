"""What routes ask for by type: the gateway, the tenant behind the key, a job of that tenant."""

from __future__ import annotations

import hmac
import re
from datetime import date, datetime
from typing import Annotated

from fastapi import Depends, Header, Path, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BeforeValidator

from job_store.records import JobRecord
from service.errors import Refusal
from service.gateway import Gateway

bearer = HTTPBearer(auto_error=False, description="An API key: `addit_…`.")


def gateway(request: Request) -> Gateway:
    """The app's gateway."""
    found: Gateway = request.app.state.gateway
    return found


GatewayDep = Annotated[Gateway, Depends(gateway)]


def tenant(
    request: Request,
    gateway: GatewayDep,
    presented: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
) -> str:
    """Whose key it is. Raises `Refusal` unauthorized, the same for no key and a wrong one."""
    key = gateway.api_keys.find(presented.credentials) if presented else None
    if key is None:
        detail = "Send a valid key as Authorization: Bearer KEY."
        raise Refusal("unauthorized", detail, headers={"WWW-Authenticate": "Bearer"})
    request.state.tenant = key.tenant
    return key.tenant


TenantDep = Annotated[str, Depends(tenant)]


admin_bearer = HTTPBearer(auto_error=False, scheme_name="AdminKey", description="ADDIT_ADMIN_KEY.")


def operator(
    gateway: GatewayDep, presented: Annotated[HTTPAuthorizationCredentials | None, Depends(admin_bearer)]
) -> None:
    """Let operators in, and nobody where no key is set. Raises `Refusal` unauthorized."""
    said = presented.credentials.encode() if presented else b""
    keys = gateway.settings.admin_key.get_secret_value().split()
    if not any(hmac.compare_digest(said, key.encode()) for key in keys):
        detail = "Send the operators' key as Authorization: Bearer KEY."
        raise Refusal("unauthorized", detail, headers={"WWW-Authenticate": "Bearer"})


OperatorDep = Depends(operator)


def job(
    gateway: GatewayDep, tenant: TenantDep, job_id: Annotated[str, Path(description="The job's id: `ins_…`.")]
) -> JobRecord:
    """The tenant's job. Raises `NotFound` for absent and foreign alike."""
    return gateway.store.get(job_id, tenant)


JobDep = Annotated[JobRecord, Depends(job)]
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
