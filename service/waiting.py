"""Waiting for a job's end within one request: `Prefer: wait=N` and `?wait=N`."""

from __future__ import annotations

import asyncio
import re

from starlette.concurrency import run_in_threadpool

from api_schemas.jobs import TERMINAL
from job_store.records import JobRecord
from service.gateway import Gateway

MAX_WAIT_SECONDS = 60


def preferred_wait(prefer: str | None) -> int:
    """Seconds of a `Prefer: wait=N` header (RFC 7240), at most 60; 0 without one. Others are ignored."""
    found = re.search(r"(?:^|[,;\s])wait\s*=\s*(\d{1,6})(?=$|[,;\s])", prefer or "", re.IGNORECASE)
    return min(int(found[1]), MAX_WAIT_SECONDS) if found else 0


async def wait_for(gateway: Gateway, record: JobRecord, seconds: int) -> JobRecord:
    """The record after it ended, after `seconds`, or when the process stops, whichever is first."""
    if not seconds or record.status in TERMINAL:
        return record
    end = asyncio.ensure_future(gateway.events.wait_for_end(record.id, seconds))
    stop = asyncio.ensure_future(gateway.stopping.wait())
    try:
        await asyncio.wait({end, stop}, return_when=asyncio.FIRST_COMPLETED)
        if end.done():
            end.result()
    finally:
        end.cancel()
        stop.cancel()
    return await run_in_threadpool(gateway.store.get, record.id, record.tenant)
