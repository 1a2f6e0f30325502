"""The operators' port of a gateway of several cells: acts go where their objects are, lists come from all."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any
from urllib.parse import parse_qs

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from job_store.api_keys import TENANT
from service.cells.asking import Answer, ask
from service.cells.cell import Cell, Cells
from service.cells.moving import refuse
from service.cells.overview import metrics, ready
from service.cells.tenants_door import cell_of_key

ONE_TENANT = re.compile(rf"/admin/tenants/({TENANT.pattern})(/.*)?")
ONE_KEY = re.compile(r"/admin/keys/([0-9a-f]{12})(/.*)?")
LISTS = {"/admin/tenants": "", "/admin/queues": "", "/admin/workers": "", "/admin/acts": "at",
         "/admin/dead-letters": "completed_at"}  # fmt: skip
"""And by what they go, the latest first; by cell where there is nothing."""
IN_ONE = re.compile(r"/admin/(workers|jobs|dead-letters)/.*", re.DOTALL)
IN_ALL = re.compile(r"/admin/queues/.*", re.DOTALL)
USUAL_LIMIT = 100


class OperatorsDoor:
    """An ASGI app. `?cell=NAME` with any request asks that cell alone."""

    def __init__(self, cells: Cells) -> None:
        self._cells = cells

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, asked = scope["path"], parse_qs(scope["query_string"].decode("latin-1"))
        named = self._cells.by_name.get(asked.get("cell", [""])[-1])
        if named is not None:
            await named.operators(scope, receive, send)
        elif path == "/readyz":
            await (await ready(self._cells, scope))(scope, receive, send)
        elif path == "/metrics":
            await (await metrics(self._cells))(scope, receive, send)
        elif path in LISTS and scope["method"] == "GET":
            await (await self._list(scope, asked))(scope, receive, send)
        elif IN_ONE.fullmatch(path):
            await _chosen(await self._all(scope)).again()(scope, receive, send)
        elif IN_ALL.fullmatch(path):
            await _summed(await self._all(scope))(scope, receive, send)
        elif cell := await self._cell_of(path):
            await cell.operators(scope, receive, send)
        else:
            await refuse(scope, receive, send)

    async def _cell_of(self, path: str) -> Cell | None:
        if found := ONE_TENANT.fullmatch(path):
            return self._cells.of_tenant(found[1])
        if found := ONE_KEY.fullmatch(path):
            return await cell_of_key(self._cells, found[1])
        return self._cells.any()

    async def _all(self, scope: Scope) -> dict[str, Answer]:
        cells = self._cells.all()
        answers = await asyncio.gather(*(ask(cell.operators, scope) for cell in cells))
        return dict(zip(self._cells.by_name, answers, strict=True))

    async def _list(self, scope: Scope, asked: dict[str, list[str]]) -> Response:
        """Of all cells that answer; it says which did not."""
        answers = await self._all(scope)
        told = {
            cell: json.loads(answer.body)["data"] for cell, answer in answers.items() if answer.status == 200
        }
        other = [answer for answer in answers.values() if answer.status not in (200, 503)]
        if other or not told:
            return _chosen(answers).again()
        rows = [{**row, "cell": cell} for cell, found in told.items() for row in found]
        if by := LISTS[scope["path"]]:
            limit = int(asked.get("limit", [str(USUAL_LIMIT)])[-1])
            rows = sorted(rows, key=lambda row: row[by] or "", reverse=True)[:limit]
        body = {"object": "list", "data": rows, "unreached": [cell for cell in answers if cell not in told]}
        return _json(body)


def _chosen(answers: dict[str, Answer]) -> Answer:
    """Of the cell that has what was named; else of one that may have it and could not say; else any."""
    by_weight = sorted(answers.values(), key=lambda answer: (answer.status == 404, answer.status >= 500))
    return by_weight[0]


def _summed(answers: dict[str, Answer]) -> Response:
    """What was done to a model's queues, of the cells that know the model: numbers are sums. Where a cell did
    not answer the act has been done in the others, and is to be repeated."""
    told = [answer for answer in answers.values() if answer.status != 404]
    done = [json.loads(answer.body) for answer in told if answer.status == 200]
    if not done or len(done) < len(told):
        return _chosen({"": max(told or answers.values(), key=lambda answer: answer.status)}).again()
    return _json({name: _together([one[name] for one in done]) for name in done[0]})


def _together(values: list[Any]) -> Any:
    if isinstance(values[0], bool):
        return all(values)
    return sum(values) if isinstance(values[0], int) else values[0]


def _json(body: dict[str, Any]) -> Response:
    return Response(
        json.dumps(body, ensure_ascii=False, separators=(",", ":")),
        headers={"Cache-Control": "private, no-cache"},
        media_type="application/json",
    )
