"""Webhooks under load: how long after its job's end each comes, and that each comes once."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

from aiohttp import web

from bench.gateway.caller import Caller
from bench.gateway.outcome import Outcome
from bench.histogram import Histogram
from bench.open_model import arrive, evenly
from bench.stack import until_so


@dataclass
class Receiver:
    """A tenant's server that takes everything. seconds: from jobs' ends; came: how often, by job."""

    url: str = ""
    seconds: Histogram = field(default_factory=Histogram)
    came: Counter[str] = field(default_factory=Counter)

    async def take(self, request: web.Request) -> web.Response:
        """One delivery."""
        now, job = time.time(), json.loads(await request.read())["data"]
        self.came[job["id"]] += 1
        self.seconds.record(max(0.0, now - datetime.fromisoformat(job["completed_at"]).timestamp()))
        return web.Response(status=204)


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """One on a free port of this machine."""
    receiver, app = Receiver(), web.Application()
    app.router.add_post("/hook", receiver.take)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        receiver.url = f"http://{host}:{port}/hook"
        yield receiver
    finally:
        await runner.cleanup()


async def webhooks(caller: Caller, seconds: float, rate: float = 10.0) -> list[Outcome]:
    """Jobs of no length at a constant rate, each with a webhook."""
    told = len(caller.told)
    async with receiving() as receiver:
        hook = {"url": receiver.url}
        seen = await arrive(evenly(rate, seconds), lambda number: caller.submit(webhook=hook))
        expected = set(caller.told[told:])
        await until_so(lambda: expected <= receiver.came.keys(), 120)
    twice = sum(receiver.came[job_id] > 1 for job_id in expected)
    note, more = f"{len(expected)} jobs, {twice} told twice", {"twice": twice, "jobs": len(expected)}
    return [
        Outcome("webhooks, from a job's end", rate, receiver.seconds, seen.errors, seen.dropped, note, more)
    ]
