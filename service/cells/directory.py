"""Whose API key it is. A key lies in its tenant's cell alone, so all are asked, at once, the first time.

That a key is its tenant's never changes, wherever the tenant goes; whether it is live, its cell says itself.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence

from job_store.keys import Key
from service.cells.standing import FAILURES, Standing

MOST_KNOWN = 100_000


class Unreached(Exception):
    """No cell that answered has the key, and this one did not answer."""

    def __init__(self, cell: str) -> None:
        super().__init__(cell)
        self.cell = cell


class Directory:
    """The tenants of keys, those asked for lately remembered."""

    def __init__(self, standings: Sequence[Standing]) -> None:
        self._standings = standings
        self._known: OrderedDict[str, str] = OrderedDict()
        self._asking: set[asyncio.Task[str | None]] = set()

    async def tenant_of(self, key_id: str) -> str | None:
        """None for a key that nobody has. Raises `Unreached`."""
        known = self._known.get(key_id)
        if known is not None:
            self._known.move_to_end(key_id)
            return known
        found = await self._first(key_id)
        if found is not None:
            self._known[key_id] = found
            if len(self._known) > MOST_KNOWN:
                self._known.popitem(last=False)
        return found

    async def _first(self, key_id: str) -> str | None:
        """What the first cell says that knows it: a slow one is not waited for."""
        down = next((standing.cell for standing in self._standings if not standing.up), None)
        asked = {asyncio.create_task(self._ask(one, key_id)): one for one in self._standings if one.up}
        self._asking.update(asked)  # those left behind end by themselves
        waited = set(asked)
        while waited:
            done, waited = await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            self._asking -= done
            for task in done:
                if task.exception() is not None:
                    down = asked[task].cell
                elif found := task.result():
                    for other in waited:
                        other.add_done_callback(self._forget)
                    return found
        if down is not None:
            raise Unreached(down)
        return None

    async def _ask(self, standing: Standing, key_id: str) -> str | None:
        try:
            found: bytes | None = await standing.redis.execute_command(  # type: ignore[no-untyped-call]
                "HGET", Key.API_KEY + key_id, "tenant"
            )
        except FAILURES as error:
            raise Unreached(standing.cell) from error
        return found.decode() if found else None

    def _forget(self, task: asyncio.Task[str | None]) -> None:
        self._asking.discard(task)
        if not task.cancelled():
            task.exception()  # seen
