"""An object is placed: what is asked for, stopped and let go, and which of its results is looked at."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr
from PIL import Image, ImageOps

from studio import asking, results, words
from studio.areas import Unclear
from studio.asking import wish_of
from studio.controls import example
from studio.desk import Desk, Ground, grounded
from studio.following import until_done
from studio.guard import Handler, Updates
from studio.outlining import drawable_by_choice
from studio.running import Running
from studio.views import Views, under_brush


@dataclass(frozen=True)
class Placing:
    """Handlers. Each yields what changes, by component; they raise ClientError and Unclear."""

    views: Views

    async def choose_example(self, event: gr.SelectData) -> AsyncIterator[Updates]:
        """An example's picture with its words."""
        picture, shows, add, seed = example(event.index)
        source_prompt, prompt, subject = self.views.controls.texts
        yield {
            self.views.controls.picture: picture,
            self.views.controls.scene: "",
            self.views.controls.add: add,
            self.views.controls.seed: seed,
            source_prompt: shows,
            prompt: "",
            subject: "",
        }

    async def place(
        self,
        desk: Desk,
        running: Running,
        layers: Sequence[Image.Image],
        picture: str | None,
        scene: str | None,
        scene_seed: int | None,
        *said: Any,
    ) -> AsyncIterator[Updates]:
        """Adds an object to the scene. layers: what was painted upon it"""
        wish, ground = wish_of(said), Ground(picture, scene or "", int(scene_seed or 0))
        if not self.views.is_let_in(desk):
            raise Unclear(words.NO_KEY)
        if not (ground.is_given or desk.scene):
            raise Unclear(words.NO_PICTURE)
        if not (wish.add.strip() or wish.prompt.strip()):
            raise Unclear(words.NO_WISH)
        fields = asking.step(wish, layers)
        running.begin()
        yield self.views.begun()
        async with self.views.connection.open(desk.key) as addit:
            desk = await grounded(desk, addit, ground, fields.get("source_prompt"))
            assert desk.scene is not None
            job = await addit.scenes.add(desk.scene.id, fields)
            async for updates in until_done(self.views, addit, desk, running, job):
                yield updates

    async def stop(self, desk: Desk, running: Running) -> AsyncIterator[Updates]:
        """Asks for the end of the job that runs or is being submitted; whoever follows it tells the rest."""
        yield {self.views.controls.stop: gr.update(interactive=False)}
        async with self.views.connection.open(desk.key) as addit:
            await running.stop(addit)

    def letting_go(self, index: int) -> Handler:
        """Of one variation, by its place among the seeds; the others go on."""

        async def let_go(desk: Desk, running: Running) -> AsyncIterator[Updates]:
            if running.job_id:
                yield {self.views.showing.previews.let_go[index]: gr.update(interactive=False)}
                async with self.views.connection.open(desk.key) as addit:
                    await addit.drop_seed(running.job_id, running.seeds[index])

        return let_go

    async def choose(self, desk: Desk, overlays: list[str], event: gr.SelectData) -> AsyncIterator[Updates]:
        """Another result of the job."""
        desk = replace(desk, chosen=event.index)
        yield {self.views.desk: desk, **self.views.look(desk, overlays)}

    async def draw_over(self, desk: Desk, overlays: list[str]) -> AsyncIterator[Updates]:
        """Mask and attention, as toggled."""
        if desk.look is not None:
            yield {self.views.showing.picture: results.drawn(desk.look, overlays)}

    async def prepare_painting(
        self, desk: Desk, picture: str | None, scene: str | None, scene_seed: int | None
    ) -> AsyncIterator[Updates]:
        """Lays the picture that is added to under the brush, and where boxes are dragged."""
        under = await self._under(desk, Ground(picture, scene or "", int(scene_seed or 0)))
        told = "The picture that is added to"
        drawn = drawable_by_choice(under, told, "outlined") if under else words.note(words.NOTHING_UNDER)
        yield {self.views.controls.outline: drawn, self.views.controls.editor: under_brush(under)}

    async def _under(self, desk: Desk, ground: Ground) -> Image.Image | None:
        """The picture that the next object goes into; None where it is not made yet."""
        if desk.scene is not None and desk.stands_on(ground):
            if not desk.scene.head.url:
                return None
            async with self.views.connection.open(desk.key) as addit:
                return (await results.fetch(addit, desk.scene.head.url)).convert("RGB")
        if ground.picture is None:
            return None
        with Image.open(ground.picture) as opened:
            return ImageOps.exif_transpose(opened).convert("RGB")
