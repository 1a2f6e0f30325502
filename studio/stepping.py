"""From step to step of a scene: on from a result, back, to another branch, or to a new scene."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import gradio as gr

from api_schemas.scenes import FIRST
from studio import history, results, words
from studio.areas import Unclear
from studio.desk import Desk, continued
from studio.guard import Updates
from studio.views import Views


@dataclass(frozen=True)
class Stepping:
    """Handlers; they raise ClientError and Unclear."""

    views: Views

    async def go_on(self, desk: Desk) -> AsyncIterator[Updates]:
        """Makes the chosen result what the next object is added to."""
        if desk.look is None:
            raise Unclear(words.NOTHING_YET)
        async with self.views.connection.open(desk.key) as addit:
            desk = await continued(desk, addit)
            yield {self.views.desk: desk, **await self.views.history(addit, desk), **self.views.emptied()}

    async def step_back(self, desk: Desk) -> AsyncIterator[Updates]:
        """Undo."""
        if desk.scene is not None:
            async with self.views.connection.open(desk.key) as addit:
                desk = replace(desk, scene=await addit.scenes.undo(desk.scene.id))
                yield {self.views.desk: desk, **await self.views.history(addit, desk), **self.views.emptied()}

    async def choose_step(self, desk: Desk, event: gr.SelectData) -> AsyncIterator[Updates]:
        """Goes to a step of the strip, and shows its results again."""
        if desk.scene is None:
            return
        stop = history.stops(desk.scene)[event.index]
        async with self.views.connection.open(desk.key) as addit:
            desk = replace(desk, scene=await addit.scenes.choose_head(desk.scene.id, stop.step, stop.seed))
            updates = {**await self.views.history(addit, desk), **self.views.emptied()}
            if stop.step != FIRST:
                job = await addit.job(stop.step)
                desk = desk.with_results(job, await results.shown(addit, job), stop.seed)
                updates |= {**self.views.job(desk), **self.views.look(desk)}
            yield {self.views.desk: desk, **updates}

    async def begin_anew(self, desk: Desk) -> AsyncIterator[Updates]:
        """An empty desk; what was made stays in the service."""
        yield {self.views.desk: Desk(key=desk.key), **self.views.anew()}
