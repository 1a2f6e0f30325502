"""What a job shows when it has ended, and what is asked while it runs."""

from __future__ import annotations

import asyncio
from typing import cast

import gradio as gr
import pytest
from gradio.blocks import BlockContext
from gradio.components import Component

from api_schemas.insertions import GeneratedSource
from api_schemas.scenes import SceneRequest
from studio.connection import Connection
from studio.controls import controls
from studio.desk import Desk
from studio.following import until_done
from studio.guard import Updates
from studio.history import Thumbnails
from studio.place import draw
from studio.running import Running
from studio.showing import showing
from studio.views import Views


def views_of(url: str, key: str) -> Views:
    with gr.Blocks():
        left, right = controls(needs_key=False), showing()
        desk, kept, kept_job = gr.State(), gr.State(), gr.State()
        return Views(Connection(url, key), left, right, desk, kept, kept_job, Thumbnails())


async def followed(url: str, key: str, prompt: str) -> tuple[Views, list[Updates]]:
    """The page's parts, and all that the job showed. Gradio opens a loop of its own where none runs."""
    views = views_of(url, key)
    async with views.connection.open() as addit:
        scene = await addit.scenes.begin(SceneRequest(source=GeneratedSource(prompt="a place")))
        job = await addit.scenes.add(scene.id, {"prompt": prompt, "subject": prompt.split()[0]})
        desk = Desk(scene=scene)
        return views, [each async for each in until_done(views, addit, desk, Running(), job)]


@pytest.mark.parametrize("prompt", ["draw thing", "nan thing"])
def test_the_last_updates_carry_all_that_lasts(scripted: tuple[str, str, str], prompt: str) -> None:
    _, key, url = scripted
    views, (*former, last) = asyncio.run(followed(url, key, prompt))
    passing = {*views.showing.previews.cells, *views.showing.previews.pictures}
    passing |= {*views.showing.previews.let_go, views.showing.previews.all_of_it}
    assert {part for each in former for part in each} - passing <= last.keys()
    assert {views.desk, views.showing.live, views.showing.here, views.showing.strip} <= last.keys()
    is_done = prompt.startswith("draw")
    assert (views.showing.gallery in last, views.showing.slider in last) == (is_done, is_done)


def editors(part: Component | BlockContext) -> list[gr.ImageEditor]:
    """In a part, however deep."""
    if isinstance(part, BlockContext):
        return [one for child in part.children for one in editors(cast(Component, child))]
    return [part] if isinstance(part, gr.ImageEditor) else []


async def drawn() -> gr.Blocks:
    """The page; Gradio opens a loop of its own where none runs."""
    with gr.Blocks() as page:
        draw(page, Connection("http://127.0.0.1:9"))
    return page


def test_nothing_that_a_running_job_asks_or_changes_has_an_editor_in_it() -> None:
    page = asyncio.run(drawn())
    busy = [each for each in page.fns.values() if len(each.outputs) > 3]
    assert len(busy) > 10
    for each in busy:
        assert [one for part in [*each.inputs, *each.outputs] for one in editors(part)] == [], each.name
