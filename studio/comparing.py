"""The chosen seed at several gammas, side by side, from one remembered scene."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace

import gradio as gr
from PIL import Image

from api_schemas.jobs import InsertionJob, ResultImage
from studio import asking, results, words
from studio.areas import Unclear
from studio.desk import Desk
from studio.guard import Updates
from studio.views import Views

MOST = 6


@dataclass(frozen=True)
class Comparing:
    """Handlers; they raise ClientError and Unclear."""

    views: Views

    async def compare(self, desk: Desk, gammas: str) -> AsyncIterator[Updates]:
        """The chosen seed at several gammas, each shown as soon as it is done."""
        look, job = desk.look, desk.job
        if look is None or job is None:
            raise Unclear(words.NOTHING_YET)
        scales = [asking.gamma(text) for text in gammas.replace(";", ",").split(",") if text.strip()]
        desk = replace(desk, compared=())
        async with self.views.connection.open(desk.key) as addit:
            jobs = [
                await addit.vary(job.id, {"seeds": [look.told.seed], "options": {"extended_scale": scale}})
                for scale in scales[:MOST]
            ]
            for one in jobs:
                done = await addit.until_succeeded(one.id)
                shown = await results.shown(addit, done)
                desk = replace(desk, compared=(*desk.compared, (done, shown[0])))
                pictures = [_compared(each) for _, each in desk.compared]
                label = _remembered([job for job, _ in desk.compared])
                shown_now = gr.update(value=pictures, label=label)
                yield {self.views.desk: desk, self.views.showing.compared: shown_now}

    async def look_at_compared(self, desk: Desk, event: gr.SelectData) -> AsyncIterator[Updates]:
        """One of those side by side, closely."""
        job, shown = desk.compared[event.index]
        desk = replace(desk, job=job, shown=(shown,), chosen=0)
        yield {self.views.desk: desk, **self.views.job(desk), **self.views.look(desk)}


def _compared(shown: results.Shown) -> tuple[Image.Image, str]:
    found = results.caption(shown.told).partition(" · ")[2]
    return shown.picture, f"{_gamma(shown.told)} · {found}"


def _remembered(jobs: Sequence[InsertionJob]) -> str:
    hits = sum(results.result_of(job).cost.source_memory == "hit" for job in jobs)
    return f"Side by side, {hits} of {len(jobs)} from the remembered scene"


def _gamma(image: ResultImage) -> str:
    return "γ by schedule" if image.extended_scale is None else f"γ {image.extended_scale:g}"
