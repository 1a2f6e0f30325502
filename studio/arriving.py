"""A visitor comes, for the first time or again: the key, what the service can draw, what was left behind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import gradio as gr

from api_schemas.jobs import InsertionJob
from client.async_client import AsyncAddit
from client.errors import ApiError
from studio import words
from studio.areas import Unclear
from studio.desk import Desk
from studio.following import until_done
from studio.guard import Updates
from studio.running import Running
from studio.views import Views


@dataclass(frozen=True)
class Arriving:
    """Handlers; they raise ClientError and Unclear."""

    views: Views

    async def greet(self, desk: Desk, running: Running, kept: str, kept_job: str) -> AsyncIterator[Updates]:
        """Whether the service answers, what it can draw, the scene left behind and the job that still runs or
        ended meanwhile. kept, kept_job: their ids"""
        if not self.views.is_let_in(desk):
            return
        async with self.views.connection.open(desk.key) as addit:
            greeting = await self._greeting(addit)
            yield greeting
            desk, updates = await self._come_back(addit, desk, kept)
            job = await _left_running(addit, kept_job)
            if job is None:
                yield {**greeting, **updates, self.views.kept_job: ""}
                return
            yield {**greeting, **updates}
            running.begin()
            async for updates in until_done(self.views, addit, desk, running, job):
                yield updates

    async def enter(
        self, desk: Desk, running: Running, kept: str, kept_job: str, key: str
    ) -> AsyncIterator[Updates]:
        """Takes a visitor's key."""
        if not key.strip():
            raise Unclear(words.NO_KEY)
        desk = replace(desk, key=key.strip())
        yield {self.views.desk: desk}
        async for updates in self.greet(desk, running, kept, kept_job):
            yield updates

    async def _greeting(self, addit: AsyncAddit) -> Updates:
        controls, cards = self.views.controls, (await addit.models()).data
        updates: Updates = {controls.login: gr.update(visible=False)}
        if not cards:
            updates[controls.trouble] = words.alert("The service answers, but no worker is ready yet.")
        if known := cards[0].subjects if cards else None:
            text = f"This model knows {len(known)} objects: {', '.join(known[:12])} …"
            updates[controls.add] = gr.update(info=text)
        return updates

    async def _come_back(self, addit: AsyncAddit, desk: Desk, kept: str) -> tuple[Desk, Updates]:
        """The scene of an earlier visit, unless there is none, or it is gone or another's."""
        try:
            scene = await addit.scenes.get(kept) if kept else None
        except ApiError:
            scene = None
        if scene is None:
            return desk, {self.views.kept: ""}
        desk = replace(desk, scene=scene)
        return desk, {self.views.desk: desk, **await self.views.history(addit, desk)}


async def _left_running(addit: AsyncAddit, kept_job: str) -> InsertionJob | None:
    """The job of an earlier visit, to be followed from its first event on; None where it is gone."""
    try:
        return await addit.job(kept_job) if kept_job else None
    except ApiError:
        return None
