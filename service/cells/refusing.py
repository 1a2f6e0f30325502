"""What a cell that is down cannot serve is refused at once: others need the threads that would wait."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from job_store.errors import StoreUnavailable
from service.cells.standing import Standing
from service.problems import answer, to_refusal

STORELESS = frozenset({"/livez", "/docs", "/openapi.json"})


class RefusedWhileDown:
    """ASGI middleware: `store_unavailable` while the cell's store is down."""

    def __init__(self, app: ASGIApp, standing: Standing) -> None:
        self.app, self.standing = app, standing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self.standing.up or scope["path"] in STORELESS:
            await self.app(scope, receive, send)
        else:
            await answer(to_refusal(StoreUnavailable()), scope)(scope, receive, send)
