"""The page where things are placed: its halves side by side, and what each press does."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import is_dataclass
from functools import partial
from typing import Any

import gradio as gr
from PIL import Image

from studio import words
from studio.arriving import Arriving
from studio.comparing import Comparing
from studio.connection import Connection
from studio.controls import controls
from studio.cutting import CuttingAnew
from studio.desk import Desk
from studio.guard import Updates, guarded
from studio.history import Thumbnails
from studio.placing import Placing
from studio.running import Running
from studio.showing import showing
from studio.stepping import Stepping
from studio.understanding import understand
from studio.views import Views

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
document.querySelector("#wipe")?.click();
"""
FOLDED = f"() => {{ {FOLD} }}"
"""What lay under a brush is no longer what is looked at; unfolded again it is, and nothing painted on it."""
WIPED = "() => [null, null]"
OUTLINED = "(box, avoid) => setTimeout(() => drawBoxes({ box, avoid }))"
ENDED = f"""
() => setTimeout(() => {{
  const found = document.querySelector("#results .verdicts");
  if (!found || document.querySelector("#live .note, #live .live, #trouble .note")) return;
  {FOLD}
  if (innerWidth > 800) return;
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  document.querySelector("#results").scrollIntoView({{ behavior: still ? "auto" : "smooth" }});
}})
"""
"""As soon as nothing is told any more of a job, because its results are there: a brush that somebody unfolds
after that has the new picture under it. Where the page is one column the results would come unseen; nothing
moves where there are none."""


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
    _wire(page, Views(connection, left, right, desk, kept, kept_job, Thumbnails()), running)


def _wire(page: gr.Blocks, views: Views, running: Any) -> None:
    left, right, desk = views.controls, views.showing, views.desk
    cutting, kept = right.cutting, [views.kept, views.kept_job]
    arriving, placing, stepping = Arriving(views), Placing(views), Stepping(views)
    recutting, comparing = CuttingAnew(views), Comparing(views)
    outputs = [desk, *kept, *_changing(left), *_changing(right)]
    outputs.remove(left.outline)  # as large as an editor's picture
    layers = gr.State(())
    ground = [left.picture, left.scene, left.scene_seed]

    def on(
        event: Any,
        handler: Any,
        inputs: list[Any],
        changed: list[Any] = outputs,
        *,
        rest: Updates | None = None,
        often: bool = True,
    ) -> None:
        """rest: updates that go with an error; often: of several presses the last one counts, else those
        during the first do not"""
        event(
            guarded(handler, left.trouble, rest),
            inputs,
            changed,
            show_progress="hidden",
            concurrency_limit=None,
            trigger_mode="always_last" if often else "once",
        )

    def run(event: Any, handler: Any, inputs: list[Any], brush: Any = None) -> None:
        """For what makes a job: what was told of the one before goes at once. brush: an editor, read before
        the job begins, or it would be asked again and again while that runs; its layers come before inputs"""
        event(None, None, right.live, js=SENT)
        painted = [] if brush is None else [layers]
        if brush is not None:
            event = event(_layers, brush, layers, show_progress="hidden", trigger_mode="once").then
        on(event, handler, [desk, running, *painted, *inputs], rest=views.idle, often=False)

    def leave(event: Any, handler: Any, inputs: list[Any]) -> None:
        """For what changes the picture that is looked at; at once, or it would fold what was opened since."""
        event(None, None, None, js=FOLDED)
        on(event, handler, inputs)

    on(page.load, arriving.greet, [desk, running, *kept], rest=views.idle)
    for event in (left.enter.click, left.key.submit):
        on(event, arriving.enter, [desk, running, *kept, left.key])
    on(left.examples.select, placing.choose_example, [])
    for event in (left.add.blur, left.texts[0].blur):
        on(event, partial(understand, views), [desk, *ground, *left.wishes])
    for event in (left.place.click, left.add.submit):
        run(event, placing.place, [*ground, *left.wishes], left.editor)
    on(left.stop.click, placing.stop, [desk, running])
    for index, button in enumerate(right.previews.let_go):
        on(button.click, placing.letting_go(index), [desk, running])
    changed = [left.trouble, left.outline, left.editor]
    on(left.where.expand, placing.prepare_painting, [desk, *ground], changed)
    for event in (left.outline.change, *(box.change for box in left.boxes)):
        event(None, left.boxes, None, js=OUTLINED)
    for event in (left.picture.input, left.picture.clear, left.examples.select):
        event(None, None, None, js=FOLDED)
    leave(right.gallery.select, placing.choose, [desk, right.overlays])
    on(right.overlays.input, placing.draw_over, [desk, right.overlays])
    leave(right.go_on.click, stepping.go_on, [desk])
    run(cutting.anew.click, recutting.remask, [cutting.localizer, cutting.softness])
    run(cutting.painted.click, recutting.remask_painted, [cutting.softness], cutting.editor)
    for event in (cutting.fold.expand, cutting.under.input):
        changed = [left.trouble, cutting.editor, cutting.painted]
        on(event, recutting.prepare_cutting, [desk, cutting.under], changed)
    on(right.compare.click, comparing.compare, [desk, right.gammas], often=False)
    leave(right.compared.select, comparing.look_at_compared, [desk])
    leave(right.strip.select, stepping.choose_step, [desk])
    leave(right.undo.click, stepping.step_back, [desk])
    leave(right.anew.click, stepping.begin_anew, [desk])
    right.live.change(None, None, None, js=ENDED)
    left.wipe.click(None, None, [left.editor, cutting.editor], js=WIPED)
    left.forget.click(None, None, left.texts[1:], js=CLEARED)
    page.load(None, None, None, js=SAID_ANEW)
    left.scene.change(None, left.scene, left.picture, js=UNPICTURED)


def _layers(painted: dict[str, Any] | None) -> Sequence[Image.Image]:
    """What was painted, of an editor's value."""
    return painted["layers"] if painted else ()


def _changing(half: Any) -> list[Any]:
    """All of a half that handlers change, its lists and parts opened. What may change is asked for its value
    at every word of a handler, an accordion for all in it: an editor would send its pictures each time."""
    if isinstance(half, list):
        return [one for part in half for one in _changing(part)]
    if is_dataclass(half):
        return list(dict.fromkeys(_changing(list(vars(half).values()))))
    return [] if isinstance(half, gr.ImageEditor | gr.Accordion) else [half]
