"""The tenants' port of a gateway of several cells: each request goes to the app of its tenant's cell."""

from __future__ import annotations

import re

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from job_store.api_keys import TENANT, presented_id
from service.cells.cell import Cell, Cells
from service.cells.directory import Unreached
from service.cells.moving import refuse
from service.cells.overview import metrics, ready

ARTIFACT = re.compile(rf"/v1/artifacts/t/({TENANT.pattern})/.*", re.DOTALL)


class TenantsDoor:
    """An ASGI app. What names no tenant goes to any cell, whose app answers 401 or 404 as ever."""

    def __init__(self, cells: Cells) -> None:
        self._cells = cells
        self._life = Starlette(lifespan=cells.live)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._life(scope, receive, send)
        elif scope["path"] == "/readyz":
            await (await ready(self._cells, scope))(scope, receive, send)
        elif scope["path"] == "/metrics":
            await (await metrics(self._cells))(scope, receive, send)
        elif cell := await self._cell_of(scope):
            await cell.tenants(scope, receive, send)
        else:
            await refuse(scope, receive, send)

    async def _cell_of(self, scope: Scope) -> Cell | None:
        """None while the tenant moves."""
        if picture := ARTIFACT.fullmatch(scope["path"]):
            return self._cells.of_tenant(picture[1])
        scheme, _, key = Headers(scope=scope).get("authorization", "").partition(" ")
        key_id = presented_id(key.strip()) if scheme.lower() == "bearer" else None
        return await cell_of_key(self._cells, key_id) if key_id else self._cells.any()


async def cell_of_key(cells: Cells, key_id: str) -> Cell | None:
    """The cell of the key's tenant, None while that moves. The app of one that was not reached says so."""
    try:
        tenant = await cells.directory.tenant_of(key_id)
    except Unreached as unreached:
        return cells.by_name[unreached.cell]
    return cells.any() if tenant is None else cells.of_tenant(tenant)
