"""What happens on the page where things are placed: from a press of a button to what it shows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr
from PIL import Image

from api_schemas.estimates import Estimate
from api_schemas.insertions import InsertionRequest, SceneSource
from api_schemas.jobs import InsertionJob, ResultImage
from api_schemas.masks import MaskRequest
from api_schemas.scenes import FIRST
from api_schemas.subjects import as_tuple
from client.async_client import AsyncAddit
from client.errors import ApiError
from studio import asking, history, results, words
from studio.areas import Unclear, painted_mask
from studio.asking import Wish, wish_of
from studio.connection import Connection
from studio.controls import Controls, example
from studio.desk import Desk, Ground, continued, grounded
from studio.forming import formed, unformed
from studio.guard import Handler, Updates
from studio.jobs import Moment, follow
from studio.live import bar
from studio.repeat import as_curl, as_json
from studio.running import Running
from studio.showing import Showing

TERMINAL_NOTES = {"canceled"}
MOST_COMPARED = 6


@dataclass(frozen=True)
class Placing:
    """The handlers. Each yields what changes, by component; they raise ClientError and Unclear.

    kept, kept_job: the scene's id and the running job's, in the browser
    """

    connection: Connection
    controls: Controls
    showing: Showing
    desk: Any
    kept: Any
    kept_job: Any
    thumbnails: history.Thumbnails

    async def greet(self, desk: Desk, running: Running, kept: str, kept_job: str) -> AsyncIterator[Updates]:
        """Whether the service answers, what it can draw, the scene left behind and the job that still runs or
        ended meanwhile. kept, kept_job: their ids"""
        if not (self.connection.key or desk.key):
            return
        async with self.connection.open(desk.key) as addit:
            cards = (await addit.models()).data
        yield {self.controls.login: gr.update(visible=False)}
        if not cards:
            yield {self.controls.trouble: words.alert("The service answers, but no worker is ready yet.")}
        known = cards[0].subjects if cards else None
        if known:
            text = f"This model knows {len(known)} objects: {', '.join(known[:12])} …"
            yield {self.controls.add: gr.update(info=text)}
        async with self.connection.open(desk.key) as addit:
            desk, updates = await self._come_back(addit, desk, kept)
            yield updates
            async for updates in self._pick_up(addit, desk, running, kept_job):
                yield updates

    async def _come_back(self, addit: AsyncAddit, desk: Desk, kept: str) -> tuple[Desk, Updates]:
        """The scene of an earlier visit, unless there is none, or it is gone or another's."""
        try:
            scene = await addit.scenes.get(kept) if kept else None
        except ApiError:
            scene = None
        if scene is None:
            return desk, {self.kept: ""}
        desk = replace(desk, scene=scene)
        return desk, {self.desk: desk, **await self._history(addit, desk)}

    async def _pick_up(
        self, addit: AsyncAddit, desk: Desk, running: Running, kept_job: str
    ) -> AsyncIterator[Updates]:
        """Goes on following the job of an earlier visit, from its first event on."""
        if not kept_job:
            return
        try:
            job = await addit.job(kept_job)
        except ApiError:
            yield {self.kept_job: ""}
            return
        running.begin()
        async for updates in self._until_done(addit, desk, running, job):
            yield updates

    async def enter(
        self, desk: Desk, running: Running, kept: str, kept_job: str, key: str
    ) -> AsyncIterator[Updates]:
        """Takes a visitor's key."""
        if not key.strip():
            raise Unclear(words.NO_KEY)
        desk = replace(desk, key=key.strip())
        yield {self.desk: desk}
        async for updates in self.greet(desk, running, kept, kept_job):
            yield updates

    async def choose_example(self, event: gr.SelectData) -> AsyncIterator[Updates]:
        """An example's picture with its words."""
        picture, shows, add, seed = example(event.index)
        source_prompt, prompt, subject = self.controls.texts
        yield {
            self.controls.picture: picture,
            self.controls.scene: "",
            self.controls.add: add,
            self.controls.seed: seed,
            source_prompt: shows,
            prompt: "",
            subject: "",
        }

    async def understand(
        self, desk: Desk, picture: str | None, scene: str | None, scene_seed: int | None, *said: Any
    ) -> AsyncIterator[Updates]:
        """What the service makes of the words, and what it would cost."""
        wish, ground = wish_of(said), Ground(picture, scene or "", int(scene_seed or 0))
        if (
            not wish.add.strip()
            or not (ground.is_given or desk.scene)
            or not (self.connection.key or desk.key)
        ):
            return
        async with self.connection.open(desk.key) as addit:
            estimate = await addit.estimate(_asked(desk, ground, wish))
        source_prompt, prompt, subject = self.controls.texts
        if estimate.request is not None:
            yield {
                source_prompt: estimate.request.source.prompt or "",
                prompt: estimate.request.prompt,
                subject: ", ".join(as_tuple(estimate.request.subject)),
            }
        yield {self.controls.understood: _told(estimate)}

    async def place(
        self,
        desk: Desk,
        running: Running,
        picture: str | None,
        scene: str | None,
        scene_seed: int | None,
        painted: Any,
        *said: Any,
    ) -> AsyncIterator[Updates]:
        """Adds an object to the scene."""
        wish, ground = wish_of(said), Ground(picture, scene or "", int(scene_seed or 0))
        if not (self.connection.key or desk.key):
            raise Unclear(words.NO_KEY)
        if not (ground.is_given or desk.scene):
            raise Unclear(words.NO_PICTURE)
        if not (wish.add.strip() or wish.prompt.strip()):
            raise Unclear(words.NO_WISH)
        fields = asking.step(wish, painted["layers"] if painted else ())
        running.begin()
        yield self._begun()
        async with self.connection.open(desk.key) as addit:
            desk = await grounded(desk, addit, ground, fields.get("source_prompt"))
            assert desk.scene is not None
            job = await addit.scenes.add(desk.scene.id, fields)
            async for updates in self._until_done(addit, desk, running, job):
                yield updates

    async def stop(self, desk: Desk, running: Running) -> AsyncIterator[Updates]:
        """Asks for the end of the job that runs or is being submitted; whoever follows it tells the rest."""
        yield {self.controls.stop: gr.update(interactive=False)}
        async with self.connection.open(desk.key) as addit:
            await running.stop(addit)

    def letting_go(self, index: int) -> Handler:
        """Of one variation, by its place among the seeds; the others go on."""

        async def let_go(desk: Desk, running: Running) -> AsyncIterator[Updates]:
            if running.job_id:
                yield {self.showing.previews.let_go[index]: gr.update(interactive=False)}
                async with self.connection.open(desk.key) as addit:
                    await addit.drop_seed(running.job_id, running.seeds[index])

        return let_go

    async def remask(
        self, desk: Desk, running: Running, localizer: str, softness: float
    ) -> AsyncIterator[Updates]:
        """The same result, cut out differently."""
        asked = MaskRequest(localizer=localizer, softness=softness or None)
        async for updates in self._cut(desk, running, asked):
            yield updates

    async def remask_painted(
        self, desk: Desk, running: Running, painted: Any, softness: float
    ) -> AsyncIterator[Updates]:
        """The same result, cut out as a person painted it."""
        mask = painted_mask(painted["layers"] if painted else ())
        async for updates in self._cut(desk, running, MaskRequest(mask=mask, softness=softness or None)):
            yield updates

    async def prepare_cutting(self, desk: Desk, under: str) -> AsyncIterator[Updates]:
        """Lays the result, with its mask outlined, or the scene before it under the brush."""
        if (look := desk.look) is not None:
            result = results.outlined(look.picture, look.mask, tinted=False) if look.mask else look.picture
            yield {
                self.showing.cutting.editor: _under_brush(look.before if under == "scene" else result),
                self.showing.cutting.painted: gr.update(interactive=True),
            }

    async def _cut(self, desk: Desk, running: Running, asked: MaskRequest) -> AsyncIterator[Updates]:
        if desk.job is None:
            raise Unclear(words.NOTHING_YET)
        running.begin()
        yield self._begun()
        async with self.connection.open(desk.key) as addit:
            job = await addit.remask(desk.job.id, asked)
            async for updates in self._until_done(addit, desk, running, job):
                yield updates

    async def compare(self, desk: Desk, gammas: str) -> AsyncIterator[Updates]:
        """The chosen seed at several gammas, each shown as soon as it is done."""
        look, job = desk.look, desk.job
        if look is None or job is None:
            raise Unclear(words.NOTHING_YET)
        scales = [asking.gamma(text) for text in gammas.replace(";", ",").split(",") if text.strip()]
        desk = replace(desk, compared=())
        async with self.connection.open(desk.key) as addit:
            jobs = [
                await addit.vary(job.id, {"seeds": [look.told.seed], "options": {"extended_scale": scale}})
                for scale in scales[:MOST_COMPARED]
            ]
            for one in jobs:
                done = await addit.until_succeeded(one.id)
                shown = await results.shown(addit, done)
                desk = replace(desk, compared=(*desk.compared, (done, shown[0])))
                pictures = [_compared(each) for _, each in desk.compared]
                label = _remembered([job for job, _ in desk.compared])
                yield {self.desk: desk, self.showing.compared: gr.update(value=pictures, label=label)}

    async def look_at_compared(self, desk: Desk, event: gr.SelectData) -> AsyncIterator[Updates]:
        """One of those side by side, closely."""
        job, shown = desk.compared[event.index]
        desk = replace(desk, job=job, shown=(shown,), chosen=0)
        yield {self.desk: desk, **self._job(desk), **self._look(desk, ())}

    async def choose(self, desk: Desk, overlays: list[str], event: gr.SelectData) -> AsyncIterator[Updates]:
        """Another result of the job."""
        desk = replace(desk, chosen=event.index)
        yield {self.desk: desk, **self._look(desk, overlays)}

    async def draw_over(self, desk: Desk, overlays: list[str]) -> AsyncIterator[Updates]:
        """Mask and attention, as toggled."""
        if desk.look is not None:
            yield {self.showing.picture: results.drawn(desk.look, overlays)}

    async def go_on(self, desk: Desk) -> AsyncIterator[Updates]:
        """Makes the chosen result what the next object is added to."""
        if desk.look is None:
            raise Unclear(words.NOTHING_YET)
        async with self.connection.open(desk.key) as addit:
            desk = await continued(desk, addit)
            yield {self.desk: desk, **await self._history(addit, desk), **self._emptied()}

    async def step_back(self, desk: Desk) -> AsyncIterator[Updates]:
        """Undo."""
        if desk.scene is not None:
            async with self.connection.open(desk.key) as addit:
                desk = replace(desk, scene=await addit.scenes.undo(desk.scene.id))
                yield {self.desk: desk, **await self._history(addit, desk), **self._emptied()}

    async def choose_step(self, desk: Desk, event: gr.SelectData) -> AsyncIterator[Updates]:
        """Goes to a step of the strip, and shows its results again."""
        if desk.scene is None:
            return
        stop = history.stops(desk.scene)[event.index]
        async with self.connection.open(desk.key) as addit:
            desk = replace(desk, scene=await addit.scenes.choose_head(desk.scene.id, stop.step, stop.seed))
            if stop.step != FIRST:
                job = await addit.job(stop.step)
                desk = _with_results(desk, job, await results.shown(addit, job), stop.seed)
                yield {**self._job(desk), **self._look(desk, ())}
            yield {self.desk: desk, **await self._history(addit, desk), **self._emptied()}

    async def begin_anew(self, desk: Desk) -> AsyncIterator[Updates]:
        """An empty desk; what was made stays in the service."""
        yield {
            self.desk: Desk(key=desk.key),
            self.kept: "",
            self.kept_job: "",
            self.controls.picture: None,
            self.controls.scene: "",
            self.controls.add: "",
            self.controls.editor: None,
            self.showing.live: words.note(words.NOTHING_YET),
            self.showing.verdicts: "",
            self.showing.here: words.note(words.NO_HISTORY),
            self.showing.strip: gr.update(value=[], visible=False),
            self.showing.undo: gr.update(interactive=False),
            **self._emptied(),
        }

    async def prepare_painting(self, desk: Desk, picture: str | None) -> AsyncIterator[Updates]:
        """Lays the picture that is added to under the brush."""
        under: Image.Image | str | None = picture
        if desk.scene is not None and desk.scene.head.url:
            async with self.connection.open(desk.key) as addit:
                under = (await results.fetch(addit, desk.scene.head.url)).convert("RGB")
        yield {self.controls.editor: _under_brush(under)}

    async def _until_done(
        self, addit: AsyncAddit, desk: Desk, running: Running, job: InsertionJob
    ) -> AsyncIterator[Updates]:
        """Follows a job, then shows what it made."""
        scene = {self.kept: desk.scene.id} if desk.scene is not None else {}
        yield {self.desk: desk, self.kept_job: job.id, **scene, **self._busy(True)}
        try:
            await running.submitted(addit, job)
            async for updates in self._watched(addit, running):
                yield updates
        finally:
            running.end()
        job = await addit.job(job.id)
        if job.status != "succeeded":
            code, message = (job.error.code, job.error.message) if job.error else ("", "")
            text = words.ended(job.status, code, message)
            told = words.note(text) if job.status in TERMINAL_NOTES else words.alert(text)
            yield {self.kept_job: "", self.showing.live: told, **self._busy(False)}
        else:
            desk = _with_results(desk, job, await results.shown(addit, job), None)
            yield {self.kept_job: "", self.showing.live: "", **self._job(desk), **self._look(desk, ())}
            yield self._busy(False)
        if desk.scene is not None:
            desk = replace(desk, scene=await addit.scenes.get(desk.scene.id))
            yield await self._history(addit, desk)
        yield {self.desk: desk, **(self._emptied() if job.status == "succeeded" else {})}

    async def _watched(self, addit: AsyncAddit, running: Running) -> AsyncIterator[Updates]:
        """The bar at every moment, and the variations as they form."""
        seen: dict[str, Image.Image] = {}
        seeds, told = len(running.seeds), Moment("")
        async for moment in follow(addit, running.job_id):
            missing = {one.url for one in moment.previews.values()} - seen.keys()
            fetched = await asyncio.gather(*(results.fetch(addit, link) for link in missing))
            seen |= dict(zip(missing, fetched, strict=True))
            is_news = missing or moment.dropped != told.dropped
            news = formed(self.showing.previews, moment, seen, seeds) if is_news else {}
            yield {self.showing.live: bar(moment), **news}
            told = moment

    def _begun(self) -> Updates:
        """The page as soon as something is asked for, before the service knows."""
        return {self.showing.live: words.note(words.SENDING), **self._busy(True)}

    def _busy(self, busy: bool) -> Updates:
        return {
            self.controls.place: gr.update(interactive=not busy),
            self.controls.stop: gr.update(interactive=busy),
            **({} if busy else unformed(self.showing.previews)),
        }

    @property
    def idle(self) -> Updates:
        """The page after an error: usable, nothing running."""
        return {**self._busy(False), self.showing.live: ""}

    def _emptied(self) -> Updates:
        """The understood texts, which spoke of another picture, and what was painted on it."""
        blank = dict.fromkeys(self.controls.texts, "")
        return {
            **blank,
            self.controls.understood: "",
            self.controls.editor: None,
        }

    def _job(self, desk: Desk) -> Updates:
        """Everything about the job as a whole."""
        assert desk.job is not None
        return {
            self.showing.gallery: [(one.picture, results.caption(one.told)) for one in desk.shown],
            self.showing.verdicts: results.verdicts(desk.job),
            self.showing.json: as_json(desk.job),
            self.showing.curl: as_curl(desk.job, self.connection.public_url or self.connection.url),
        }

    def _look(self, desk: Desk, overlays: list[str] | tuple[str, ...]) -> Updates:
        """Everything about the chosen result."""
        look = desk.look
        assert look is not None
        return {
            self.showing.slider: (look.before or look.picture, look.picture),
            self.showing.picture: results.drawn(look, overlays),
            self.showing.cutout: look.cutout,
            self.showing.overlays: list(overlays),
            self.showing.cutting.editor: None,
            self.showing.cutting.painted: gr.update(interactive=False),
        }

    async def _history(self, addit: AsyncAddit, desk: Desk) -> Updates:
        assert desk.scene is not None
        strip = await history.strip(addit, desk.scene, self.thumbnails)
        return {
            self.showing.strip: gr.update(value=strip, visible=bool(strip)),
            self.showing.here: words.note(history.here(desk.scene)),
            self.showing.undo: gr.update(interactive=desk.scene.head.step != FIRST),
            self.kept: desk.scene.id,
        }


def _asked(desk: Desk, ground: Ground, wish: Wish) -> InsertionRequest:
    """What an estimate is asked of: the scene, or a picture that is not sent before it is needed."""
    said = asking.texts(wish) | {"options": asking.options(wish)}
    source_prompt = said.pop("source_prompt", None)
    source: dict[str, Any] = {"kind": "generated", "prompt": ground.words.strip() or "-", "seed": ground.seed}
    if desk.scene is not None and desk.stands_on(ground):
        source = SceneSource(scene_id=desk.scene.id, prompt=source_prompt).model_dump()
    elif ground.picture is not None:
        source = {"kind": "image", "image": asking.inside(ground.picture), "prompt": source_prompt}
    seeds = asking.seeds(wish.tries, wish.seed)
    return InsertionRequest.model_validate({"source": source, "seeds": seeds, **said})


def _told(estimate: Estimate) -> str:
    """The estimate for people."""
    if not estimate.accepted:
        return words.alert(estimate.problem.detail if estimate.problem else "It would be refused.")
    parts = []
    if estimate.cost is not None:
        known, new = estimate.cost.forwards_remembered, estimate.cost.forwards
        parts.append(f"{known:g} forwards where the scene is remembered, {new:g} where it is new")
    if estimate.eta_seconds is not None:
        parts.append(f"done in about {max(1, round(estimate.eta_seconds.p50))} s")
    if estimate.jobs_before:
        parts.append(f"{estimate.jobs_before} jobs before it")
    return words.note("; ".join(parts).capitalize() + ".") if parts else ""


def _under_brush(picture: Image.Image | str | None) -> dict[str, Any] | None:
    """For an editor: the picture, nothing painted on it."""
    return {"background": picture, "layers": [], "composite": None} if picture else None


def _with_results(desk: Desk, job: InsertionJob, shown: tuple[results.Shown, ...], seed: int | None) -> Desk:
    chosen = next((index for index, one in enumerate(shown) if one.told.seed == seed), 0)
    return replace(desk, job=job, shown=shown, chosen=chosen)


def _compared(shown: results.Shown) -> tuple[Image.Image, str]:
    found = results.caption(shown.told).partition(" · ")[2]
    return shown.picture, f"{_gamma(shown.told)} · {found}"


def _remembered(jobs: Sequence[InsertionJob]) -> str:
    hits = sum(results.result_of(job).cost.source_memory == "hit" for job in jobs)
    return f"Side by side, {hits} of {len(jobs)} from the remembered scene"


def _gamma(image: ResultImage) -> str:
    return "γ by schedule" if image.extended_scale is None else f"γ {image.extended_scale:g}"
