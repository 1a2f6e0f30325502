"""The page where things are placed: its halves side by side, and what each press does."""

from __future__ import annotations

from typing import Any

import gradio as gr

from studio import words
from studio.connection import Connection
from studio.controls import Controls, controls
from studio.desk import Desk
from studio.guard import guarded
from studio.history import Thumbnails
from studio.placing import Placing
from studio.showing import Showing, showing

CLEARED = "() => ['', '']"


def draw(page: gr.Blocks, connection: Connection) -> None:
    """Draws the page; inside its Blocks."""
    gr.Markdown(f"# {words.TITLE}\n{words.LEAD}")
    desk, kept = gr.State(Desk()), gr.BrowserState("", storage_key="addit-scene")
    with gr.Row():
        with gr.Column(scale=5, min_width=300):
            left = controls(needs_key=not connection.key)
        with gr.Column(scale=7, min_width=300):
            right = showing()
    _wire(page, Placing(connection, left, right, desk, kept, Thumbnails()))


def _wire(page: gr.Blocks, does: Placing) -> None:
    left, right, desk = does.controls, does.showing, does.desk
    outputs = [desk, does.kept, *_components(left), *_components(right)]
    ground = [left.picture, left.scene, left.scene_seed]

    def on(event: Any, handler: Any, inputs: list[Any], *, rest: Any = None, often: bool = True) -> None:
        """often: of several presses the last one counts; else those during the first do not"""
        event(
            guarded(handler, left.trouble, rest),
            inputs,
            outputs,
            show_progress="hidden",
            concurrency_limit=None,
            trigger_mode="always_last" if often else "once",
        )

    on(page.load, does.greet, [desk, does.kept])
    for event in (left.enter.click, left.key.submit):
        on(event, does.enter, [desk, does.kept, left.key])
    on(left.examples.select, does.choose_example, [])
    for event in (left.add.blur, left.texts[0].blur):
        on(event, does.understand, [desk, *ground, *left.wishes])
    for event in (left.place.click, left.add.submit):
        on(event, does.place, [desk, *ground, left.editor, *left.wishes], rest=does.idle, often=False)
    on(left.stop.click, does.stop, [desk])
    on(left.where.expand, does.prepare_painting, [desk, left.picture])
    on(right.gallery.select, does.choose, [desk, right.overlays])
    on(right.overlays.input, does.draw_over, [desk, right.overlays])
    on(right.go_on.click, does.go_on, [desk])
    on(right.remask.click, does.remask, [desk, right.localizer, right.softness], rest=does.idle, often=False)
    on(right.compare.click, does.compare, [desk, right.gammas], often=False)
    on(right.compared.select, does.look_at_compared, [desk])
    on(right.strip.select, does.choose_step, [desk])
    on(right.undo.click, does.step_back, [desk])
    on(right.anew.click, does.begin_anew, [desk])
    # Texts that were inferred for other words must not be sent with the new ones.
    for said in (left.add, left.texts[0]):
        said.input(None, None, left.texts[1:], js=CLEARED)
    left.scene.input(None, None, left.picture, js="() => null")


def _components(half: Controls | Showing) -> list[Any]:
    """All of a half, its lists opened."""
    found: list[Any] = []
    for part in vars(half).values():
        found += part if isinstance(part, list) else [part]
    return list(dict.fromkeys(found))
