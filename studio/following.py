"""A job from its submission to what it made, as the page shows it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

from PIL import Image

from api_schemas.jobs import InsertionJob
from client.async_client import AsyncAddit
from studio import results, words
from studio.desk import Desk
from studio.forming import formed
from studio.guard import Updates
from studio.jobs import Moment, follow
from studio.live import bar
from studio.running import Running
from studio.views import Views

TERMINAL_NOTES = {"canceled"}


async def until_done(
    views: Views, addit: AsyncAddit, desk: Desk, running: Running, job: InsertionJob
) -> AsyncIterator[Updates]:
    """Follows a job, then shows what it made: all that lasts is in the last updates, which alone are sure to
    stay (docs/decisions.md). Raises ClientError."""
    scene = {views.kept: desk.scene.id} if desk.scene is not None else {}
    yield {views.desk: desk, views.kept_job: job.id, **scene, **views.busy(True)}
    try:
        await running.submitted(addit, job)
        async for updates in _watched(views, addit, running):
            yield updates
    finally:
        running.end()
    job = await addit.job(job.id)
    desk, updates = await _ended(views, addit, desk, job)
    if desk.scene is not None:
        desk = replace(desk, scene=await addit.scenes.get(desk.scene.id))
        updates |= await views.history(addit, desk)
    yield {views.desk: desk, views.kept_job: "", **views.busy(False), **updates}


async def _ended(views: Views, addit: AsyncAddit, desk: Desk, job: InsertionJob) -> tuple[Desk, Updates]:
    if job.status == "succeeded":
        desk = desk.with_results(job, await results.shown(addit, job))
        return desk, {views.showing.live: "", **views.job(desk), **views.look(desk), **views.emptied()}
    code, message = (job.error.code, job.error.message) if job.error else ("", "")
    text = words.ended(job.status, code, message)
    told = words.note(text) if job.status in TERMINAL_NOTES else words.alert(text)
    return desk, {views.showing.live: told}


async def _watched(views: Views, addit: AsyncAddit, running: Running) -> AsyncIterator[Updates]:
    """The bar at every moment, and the variations as they form."""
    seen: dict[str, Image.Image] = {}
    seeds, told = len(running.seeds), Moment("")
    async for moment in follow(addit, running.job_id):
        missing = {one.url for one in moment.previews.values()} - seen.keys()
        fetched = await asyncio.gather(*(results.fetch(addit, link) for link in missing))
        seen |= dict(zip(missing, fetched, strict=True))
        is_news = missing or moment.dropped != told.dropped
        news = formed(views.showing.previews, moment, seen, seeds) if is_news else {}
        yield {views.showing.live: bar(moment), **news}
        told = moment
