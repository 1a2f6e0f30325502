"""The page where people draw the plausible places of an object, for an affordance suite: scene by scene,
several boxes in each, kept as they are drawn."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

from api_schemas.sentences.words import with_article
from studio import words
from studio.areas import Unclear
from studio.outlining import drawable
from studio.suite import Scene, boxes_of, first_open, keep, lines_of, scenes

KEEPING = """
<script>
(() => {
  const keep = () => document.querySelector("#box-keep")?.click();
  let soon = 0;
  addEventListener("input", event => {
    if (!event.target.closest?.("#boxes, #scene-source, #scene-prompt, #scene-subject")) return;
    clearTimeout(soon);
    soon = setTimeout(keep, 300);
  });
  addEventListener("click", event => {
    if (event.target.closest?.("#box-next, #box-previous, #box-undo")) clearTimeout(soon);
  });
})();
</script>
"""
"""What is drawn or written is kept as by the button: Gradio's own `input` event comes of keys alone."""


def draw(page: gr.Blocks, folder: Path | None) -> None:
    """Draws the page; inside its Blocks."""
    gr.Markdown(
        "# Where could it be?\nDrag a box wherever the object would be plausible. Several are welcome; every "
        "change is kept at once. Keys: n or → next, p or ← previous, backspace takes the last box back."
    )
    if folder is None or not scenes(folder):
        gr.HTML(words.note(words.NO_SCENES))
        return
    trouble, progress = gr.HTML(elem_id="boxes-trouble"), gr.HTML(elem_id="boxes-progress")
    name = gr.Textbox(label="Scene", visible="hidden", elem_id="scene-name")
    with gr.Row():
        with gr.Column(scale=7, min_width=300):
            picture = gr.HTML(elem_id="scene-picture")
        with gr.Column(scale=5, min_width=300):
            texts = [
                gr.Textbox(label="The picture shows", elem_id="scene-source"),
                gr.Textbox(label="It shall show", elem_id="scene-prompt"),
                gr.Textbox(label="The new object", elem_id="scene-subject"),
            ]
            boxes = gr.Textbox(
                label="Plausible boxes, one a line", lines=5, max_lines=12, elem_id="boxes",
                placeholder="left, top, right, bottom", info="In pixels; for those who do not drag.",
            )  # fmt: skip
            with gr.Row():
                undo = gr.Button("Take the last box back", elem_id="box-undo", min_width=120)
                save = gr.Button("Keep", elem_id="box-keep", min_width=120)
            with gr.Row():
                before = gr.Button("Previous", elem_id="box-previous", min_width=120)
                after = gr.Button("Next", variant="primary", elem_id="box-next", min_width=120)
    drawing = Drawing(folder)
    parts = [trouble, progress, name, picture, *texts, boxes]
    # The name goes with its boxes as the browser has both: a slow change must not meet the next scene.
    said = [name, boxes, *texts]
    page.load(drawing.begin, None, parts, show_progress="hidden")
    for button, does, outputs in (
        (save, drawing.change, [trouble, progress, picture]),
        (undo, drawing.take_back, [trouble, progress, picture, boxes]),
        (after, drawing.go(1), parts),
        (before, drawing.go(-1), parts),
    ):
        # One after the other: what was kept last is shown last.
        button.click(
            does, said, outputs, show_progress="hidden", concurrency_limit=1, concurrency_id="boxes",
            trigger_mode="multiple",
        )  # fmt: skip


class Drawing:
    """What each press does to the folder and to the page."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def begin(self) -> list[Any]:
        """The first scene that is not done."""
        found = scenes(self._folder)
        return self._shown(found, first_open(found))

    def change(self, name: str, text: str, *texts: str) -> list[Any]:
        """Keeps what was drawn or written, as far as it is clear."""
        found = scenes(self._folder)
        index = _index(found, name)
        try:
            scene = self._kept(found[index], text, texts)
        except Unclear as error:
            return [words.alert(str(error)), gr.skip(), gr.skip()]
        found[index] = scene
        return ["", _progress(found, index), _picture(scene)]

    def take_back(self, name: str, text: str, *texts: str) -> list[Any]:
        """Without the last line."""
        left = "\n".join(text.strip().splitlines()[:-1])
        return [*self.change(name, left, *texts), left]

    def go(self, by: int) -> Any:
        """To another scene, once this one is kept; from the last to the first."""

        def moved(name: str, text: str, *texts: str) -> list[Any]:
            trouble, *_ = self.change(name, text, *texts)
            if trouble:
                return [trouble, *(gr.skip() for _ in range(7))]
            found = scenes(self._folder)
            return self._shown(found, (_index(found, name) + by) % len(found))

        return moved

    def _kept(self, scene: Scene, text: str, texts: tuple[str, ...]) -> Scene:
        source, prompt, subject = (one.strip() for one in texts)
        with Image.open(scene.picture) as picture:
            boxes = boxes_of(text, *picture.size)
        changed = replace(scene, boxes=boxes, texts=(source, prompt, subject))
        if changed != scene:
            keep(self._folder, changed)
        return changed

    def _shown(self, found: list[Scene], index: int) -> list[Any]:
        scene = found[index]
        told = [_progress(found, index), scene.name, _picture(scene), *scene.texts, lines_of(scene.boxes)]
        return ["", *told]


def _index(found: list[Scene], name: str) -> int:
    return next((index for index, scene in enumerate(found) if scene.name == name), 0)


def _progress(found: list[Scene], index: int) -> str:
    scene, done = found[index], sum(each.is_done for each in found)
    lacks = "" if all(scene.texts) else " This one lacks words."
    wanted = f" Where could {with_article(scene.texts[2])} be?" if scene.texts[2] else ""
    return words.note(f"Scene {index + 1} of {len(found)}, {done} done.{wanted}{lacks}")


def _picture(scene: Scene) -> str:
    """The picture under its boxes, in its own pixels."""
    told = f"{scene.texts[0] or scene.name}, {len(scene.boxes)} boxes"
    with Image.open(scene.picture) as picture:
        return drawable(picture.convert("RGB"), told, "boxes", scene.boxes)
