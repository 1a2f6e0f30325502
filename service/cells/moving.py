"""What a tenant is told while it is being moved from one cell to another."""

from __future__ import annotations

from starlette.types import Receive, Scope, Send

from api_schemas.base import new_id
from service.errors import Refusal
from service.problems import answer

RETRY_SECONDS = "30"


async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
    """An ASGI app that answers `store_unavailable`: who tries again is served when the move is done."""
    request_id = new_id("req")
    detail = "What you have here is being moved; try again in a moment."
    headers = {"Retry-After": RETRY_SECONDS, "X-Request-Id": request_id}
    refusal = Refusal("store_unavailable", detail, headers=headers)
    told = {**scope, "state": {"request_id": request_id}}
    await answer(refusal, told)(scope, receive, send)
