"""The page where things are placed: its halves side by side, and what each press does."""

from __future__ import annotations

import json
from dataclasses import is_dataclass
from typing import Any

import gradio as gr

from studio import words
from studio.connection import Connection
from studio.controls import controls
from studio.desk import Desk
from studio.guard import guarded
from studio.history import Thumbnails
from studio.placing import Placing
from studio.running import Running
from studio.showing import showing

CLEARED = "() => ['', '']"
UNPICTURED = "scene => scene ? null : { __type__: 'update' }"
SENT = f"() => {json.dumps(words.note(words.SENDING))}"
SAID_ANEW = """
() => addEventListener("input", event => {
  if (event.target.closest?.("#add, #source-prompt")) document.querySelector("#forget")?.click();
})
"""
"""Texts that were inferred for other words must not be sent with the new ones, typed, pasted or deleted:
Gradio's own `input` event comes of keys alone, its `change` also of what a handler wrote."""
FOLD = """
for (const open of document.querySelectorAll("#where > .label-wrap.open, #cutting > .label-wrap.open"))
  open.click();
"""
FOLDED = f"() => {{ {FOLD} }}"
"""What lay under a brush is no longer what is looked at; unfolded again it is."""
SHOWN = f"""
() => {{
  const found = document.querySelector("#results .verdicts");
  if (!found || document.querySelector("#live .note, #live .live, #trouble .note")) return;
  {FOLD}
  if (innerWidth > 800) return;
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  document.querySelector("#results").scrollIntoView({{ behavior: still ? "auto" : "smooth" }});
}}
"""
"""Where the page is one column its results would come unseen; nothing moves where there are none."""


def draw(page: gr.Blocks, connection: Connection) -> None:
    """Draws the page; inside its Blocks."""
    gr.Markdown(f"# {words.TITLE}\n{words.LEAD}")
    desk, running = gr.State(Desk()), gr.State(Running())
    kept, kept_job = (gr.BrowserState("", storage_key=f"addit-{name}") for name in ("scene", "job"))
    with gr.Row():
        with gr.Column(scale=5, min_width=300):
            left = controls(needs_key=not connection.key)
        with gr.Column(scale=7, min_width=300):
            right = showing()
    _wire(page, Placing(connection, left, right, desk, kept, kept_job, Thumbnails()), running)


def _wire(page: gr.Blocks, does: Placing, running: Any) -> None:
    left, right, desk = does.controls, does.showing, does.desk
    cutting, kept = right.cutting, [does.kept, does.kept_job]
    outputs = [desk, *kept, *_components(left), *_components(right)]
    ground = [left.picture, left.scene, left.scene_seed]

    def on(event: Any, handler: Any, inputs: list[Any], *, rest: Any = None, often: bool = True) -> Any:
        """often: of several presses the last one counts; else those during the first do not"""
        return event(
            guarded(handler, left.trouble, rest),
            inputs,
            outputs,
            show_progress="hidden",
            concurrency_limit=None,
            trigger_mode="always_last" if often else "once",
        )

    def run(event: Any, handler: Any, inputs: list[Any]) -> None:
        """For what makes a job: what was told of the one before goes at once, its results are scrolled to"""
        event(None, None, right.live, js=SENT)
        done = on(event, handler, [desk, running, *inputs], rest=does.idle, often=False)
        done.then(None, None, None, js=SHOWN)

    def leave(event: Any, handler: Any, inputs: list[Any]) -> None:
        """For what changes the picture that is looked at; at once, or it would fold what was opened since."""
        event(None, None, None, js=FOLDED)
        on(event, handler, inputs)

    on(page.load, does.greet, [desk, running, *kept], rest=does.idle)
    for event in (left.enter.click, left.key.submit):
        on(event, does.enter, [desk, running, *kept, left.key])
    on(left.examples.select, does.choose_example, [])
    for event in (left.add.blur, left.texts[0].blur):
        on(event, does.understand, [desk, *ground, *left.wishes])
    for event in (left.place.click, left.add.submit):
        run(event, does.place, [*ground, left.editor, *left.wishes])
    on(left.stop.click, does.stop, [desk, running])
    for index, button in enumerate(right.previews.let_go):
        on(button.click, does.letting_go(index), [desk, running])
    on(left.where.expand, does.prepare_painting, [desk, left.picture])
    leave(right.gallery.select, does.choose, [desk, right.overlays])
    on(right.overlays.input, does.draw_over, [desk, right.overlays])
    leave(right.go_on.click, does.go_on, [desk])
    run(cutting.anew.click, does.remask, [cutting.localizer, cutting.softness])
    run(cutting.painted.click, does.remask_painted, [cutting.editor, cutting.softness])
    for event in (cutting.fold.expand, cutting.under.input):
        on(event, does.prepare_cutting, [desk, cutting.under])
    on(right.compare.click, does.compare, [desk, right.gammas], often=False)
    leave(right.compared.select, does.look_at_compared, [desk])
    leave(right.strip.select, does.choose_step, [desk])
    leave(right.undo.click, does.step_back, [desk])
    leave(right.anew.click, does.begin_anew, [desk])
    left.forget.click(None, None, left.texts[1:], js=CLEARED)
    page.load(None, None, None, js=SAID_ANEW)
    left.scene.change(None, left.scene, left.picture, js=UNPICTURED)


def _components(half: Any) -> list[Any]:
    """All of a half, its lists and parts opened."""
    if isinstance(half, list):
        return [one for part in half for one in _components(part)]
    if is_dataclass(half):
        return list(dict.fromkeys(_components(list(vars(half).values()))))
    return [half]
