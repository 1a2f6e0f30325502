"""Whether a cell's store answers: looked at every second, so that no request has to find out by waiting."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

LOOK_SECONDS = 1.0
FAILURES = (RedisError, OSError, RuntimeError)
"""Whatever redis-py raises: a RuntimeError is uvloop's, of a connection reset while it was made."""
log = structlog.get_logger("service")


class Standing:
    """`up` as of the last look. Counts as up until `watch` has looked once."""

    def __init__(self, cell: str, redis: Redis) -> None:
        self.cell, self.redis, self.up = cell, redis, True

    async def watch(self, ended: asyncio.Event) -> None:
        """Look until it is `ended`. It is not to be canceled: redis-py may lose that."""
        while not ended.is_set():
            was, self.up = self.up, await self._answers()
            if was != self.up:
                log.warning("cell is up" if self.up else "cell is down", cell=self.cell)
            with suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), LOOK_SECONDS)

    async def _answers(self) -> bool:
        try:
            await self.redis.execute_command("PING")  # type: ignore[no-untyped-call]
        except FAILURES:
            return False
        return True
