"""The right half of the page: what happens now, the results and what to do with them, the scene's steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, get_args

import gradio as gr

from api_schemas.insertions import Localizer
from studio import words
from studio.forming import Forming, forming


@dataclass(frozen=True)
class Cutting:
    """Components for another mask. fold: around them; under: what is painted on; editor: the brush; painted:
    cuts by it"""

    fold: Any
    localizer: Any
    softness: Any
    anew: Any
    under: Any
    editor: Any
    painted: Any


@dataclass(frozen=True)
class Showing:
    """Components. What has an editor in it is folded and hidden by the page itself, and told to change by no
    handler that does other things too: an editor that is just coming or going fails, which ends all that the
    handler had to show."""

    live: Any
    previews: Forming
    gallery: Any
    slider: Any
    overlays: Any
    picture: Any
    cutout: Any
    verdicts: Any
    go_on: Any
    cutting: Cutting
    gammas: Any
    compare: Any
    compared: Any
    json: Any
    curl: Any
    here: Any
    strip: Any
    undo: Any
    anew: Any


def showing() -> Showing:
    """Draws them; inside a column."""
    live = gr.HTML(words.note(words.NOTHING_YET), elem_id="live")
    previews = forming()
    with gr.Column(elem_id="results"):
        gallery = _gallery("Results, the surest first", "gallery", columns=4)
        slider = gr.ImageSlider(
            label="Before and after", type="pil", format="png", interactive=False, elem_id="slider",
            max_height=520, buttons=["fullscreen"],
        )  # fmt: skip
        overlays = gr.CheckboxGroup(
            [("Mask", "mask"), ("Attention", "attention")], label="Draw over the result", elem_id="overlays"
        )
        with gr.Row():
            picture = _picture("Result", "result", "RGB")
            cutout = _picture("Cut-out, on transparency", "cutout", "RGBA")
        verdicts = gr.HTML(elem_id="verdicts")
        go_on = gr.Button("Go on from this result", elem_id="go-on")
        cutting = _cutting()
        gammas, compare, compared = _comparing()
        with gr.Accordion("Repeat it", open=False, elem_id="repeat"):
            curl = gr.Code(
                label="For a shell",
                language="shell",
                interactive=False,
                wrap_lines=True,
                lines=2,
                max_lines=10,
                buttons=["copy"],
            )
            json = gr.Code(
                label="Parameters", language="json", interactive=False, elem_id="json", max_lines=24,
                buttons=["copy", "download"],
            )  # fmt: skip
    gr.Markdown("### The scene, step by step")
    here = gr.HTML(words.note(words.NO_HISTORY), elem_id="here")
    strip = _gallery("Steps: choose one to go on from it", "strip", columns=6, visible=False)
    with gr.Row():
        undo = gr.Button("Undo", elem_id="undo", interactive=False, min_width=120)
        anew = gr.Button("New scene", elem_id="anew", min_width=120)
    return Showing(
        live, previews, gallery, slider, overlays, picture, cutout, verdicts, go_on,
        cutting, gammas, compare, compared, json, curl, here, strip, undo, anew,
    )  # fmt: skip


def _gallery(label: str, name: str, columns: int, visible: bool = True) -> Any:
    return gr.Gallery(
        label=label, columns=columns, fit_columns=False, height="auto", allow_preview=False, visible=visible,
        interactive=False, elem_id=name, object_fit="contain", format="png", buttons=[],
    )  # fmt: skip


def _picture(label: str, name: str, mode: str) -> Any:
    return gr.Image(
        label=label, alt_text=label, type="pil", format="png", image_mode=mode, interactive=False,
        elem_id=name, height=340, min_width=240, buttons=["download", "fullscreen"],
    )  # fmt: skip


def _cutting() -> Cutting:
    with gr.Accordion("Cut it out differently", open=False, elem_id="cutting") as fold:
        gr.Markdown("Another mask for the same result: only the steps after the blend are paid.")
        with gr.Row():
            localizer = gr.Dropdown(
                [*get_args(Localizer)], value="attention", label="Localizer", info=words.LOCALIZER,
                min_width=200,
            )  # fmt: skip
            softness = gr.Slider(
                0, 8, value=0, step=0.5, label="Softness of the edge", info="Cells of the latent grid."
            )
        anew = gr.Button("Cut anew", elem_id="remask")
        under = gr.Radio(
            [("The result, its present mask outlined", "result"), ("The scene before", "scene")],
            value="result", label="Or paint the object's mask on", elem_id="under",
        )  # fmt: skip
        brush = gr.Brush(default_size=20, colors=[words.MASK_COLOUR], color_mode="fixed")
        editor = gr.ImageEditor(
            label="What is painted is kept of the object, everything else is the scene's", type="pil",
            sources=[], transforms=[], brush=brush, layers=False, height=360, elem_id="mask-editor",
            buttons=["fullscreen"],
        )  # fmt: skip
        painted = gr.Button("Cut as painted", elem_id="remask-painted", interactive=False)
    return Cutting(fold, localizer, softness, anew, under, editor, painted)


def _comparing() -> tuple[Any, Any, Any]:
    with gr.Accordion("Compare γ", open=False, elem_id="comparing"):
        gr.Markdown(
            "The same seed at several γ, from the same remembered scene. Choose one to look at it closely."
        )
        gammas = gr.Textbox("1.0, 1.05, 1.1", label="Values of γ", elem_id="gammas")
        compare = gr.Button("Compare", elem_id="compare")
        compared = _gallery("Side by side", "compared", columns=3)
    return gammas, compare, compared
