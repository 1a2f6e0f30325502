"""How long pictures are kept: as the request says, and no longer than its tenant's limit."""

from __future__ import annotations

from api_schemas.insertions import InsertionRequest
from service.gateway import Gateway


def kept(gateway: Gateway, tenant: str, seconds: int) -> int:
    """Seconds that something is kept which was to be kept for so many."""
    return min(seconds, gateway.tenants.get(tenant).limits.max_retain_seconds)


def kept_briefly(gateway: Gateway, tenant: str, request: InsertionRequest) -> InsertionRequest:
    """The request with what becomes of its `retain_seconds`."""
    return request.model_copy(update={"retain_seconds": kept(gateway, tenant, request.retain_seconds)})
