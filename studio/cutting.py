"""Another mask for the result that is looked at: by a localizer, or as a person paints it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import gradio as gr
from PIL import Image

from api_schemas.masks import MaskRequest
from studio import results, words
from studio.areas import Unclear, painted_mask
from studio.desk import Desk
from studio.following import until_done
from studio.guard import Updates
from studio.running import Running
from studio.views import Views, under_brush


@dataclass(frozen=True)
class CuttingAnew:
    """Handlers; they raise ClientError and Unclear."""

    views: Views

    async def remask(
        self, desk: Desk, running: Running, localizer: str, softness: float
    ) -> AsyncIterator[Updates]:
        """The same result, cut out differently."""
        asked = MaskRequest(localizer=localizer, softness=softness or None)
        async for updates in self._cut(desk, running, asked):
            yield updates

    async def remask_painted(
        self, desk: Desk, running: Running, layers: Sequence[Image.Image], softness: float
    ) -> AsyncIterator[Updates]:
        """The same result, cut out as a person painted it."""
        mask = painted_mask(layers)
        async for updates in self._cut(desk, running, MaskRequest(mask=mask, softness=softness or None)):
            yield updates

    async def prepare_cutting(self, desk: Desk, under: str) -> AsyncIterator[Updates]:
        """Lays the result, with its mask outlined, or the scene before it under the brush."""
        if (look := desk.look) is not None:
            result = results.outlined(look.picture, look.mask, tinted=False) if look.mask else look.picture
            yield {
                self.views.showing.cutting.editor: under_brush(look.before if under == "scene" else result),
                self.views.showing.cutting.painted: gr.update(interactive=True),
            }

    async def _cut(self, desk: Desk, running: Running, asked: MaskRequest) -> AsyncIterator[Updates]:
        if desk.job is None:
            raise Unclear(words.NOTHING_YET)
        running.begin()
        yield self.views.begun()
        async with self.views.connection.open(desk.key) as addit:
            job = await addit.remask(desk.job.id, asked)
            async for updates in until_done(self.views, addit, desk, running, job):
                yield updates
