"""The left half of the page: the picture, what to add, what is understood, and the knobs, folded away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, get_args

import gradio as gr

from api_schemas.insertions import MAX_SEEDS, Inversion, Localizer, Mode
from api_schemas.sentences.words import with_article
from client.examples import examples
from studio import words


@dataclass(frozen=True)
class Controls:
    """Components. forget, wipe: unseen; the one empties the inferred texts, the other the brushes' pictures.
    outline: the picture on which boxes are dragged; wishes: those of a `Wish`, in its order"""

    trouble: Any
    login: Any
    key: Any
    enter: Any
    picture: Any
    examples: Any
    scene: Any
    scene_seed: Any
    add: Any
    place: Any
    stop: Any
    forget: Any
    wipe: Any
    understood: Any
    where: Any
    outline: Any
    editor: Any
    wishes: list[Any]

    @property
    def texts(self) -> list[Any]:
        """Source prompt, prompt, subject."""
        return self.wishes[1:4]

    @property
    def seed(self) -> Any:
        """The first seed."""
        return self.wishes[5]

    @property
    def boxes(self) -> list[Any]:
        """Where it may go, and where not."""
        return self.wishes[8:10]


def controls(needs_key: bool) -> Controls:
    """Draws them; inside a column."""
    trouble = gr.HTML(elem_id="trouble")
    with gr.Group(visible=needs_key) as login:
        key = gr.Textbox(label="API key", type="password", elem_id="key", info="Kept for this visit only.")
        enter = gr.Button("Use this key", elem_id="enter")
    picture, shown, scene, scene_seed = _picture()
    add = gr.Textbox(
        label="What to add", placeholder="a sheep, or: a red hat on the man", elem_id="add", max_lines=3
    )
    tries = gr.Slider(
        1,
        MAX_SEEDS,
        value=1,
        step=1,
        label="Tries",
        elem_id="tries",
        info="Seeds at once: the scene is paid once.",
    )
    with gr.Row():
        place = gr.Button("Place it", variant="primary", elem_id="place", min_width=120)
        stop = gr.Button("Stop", variant="stop", elem_id="stop", interactive=False, min_width=80)
    with gr.Accordion("As it is understood", open=True):
        source_prompt = gr.Textbox(
            label="The picture shows",
            elem_id="source-prompt",
            placeholder="the model looks at it",
            info="Source prompt.",
        )
        prompt = gr.Textbox(label="It shall show", elem_id="prompt", info="Target prompt.")
        subject = gr.Textbox(label="The new object", elem_id="subject", info="Subject; several by commas.")
        understood = gr.HTML(elem_id="understood")
        forget = gr.Button("Forget", visible="hidden", elem_id="forget")
        wipe = gr.Button("Wipe", visible="hidden", elem_id="wipe")
    where, outline, editor, box, avoid = _areas()
    knobs = _knobs()
    wishes = [add, source_prompt, prompt, subject, tries, *knobs[:3], box, avoid, *knobs[3:]]
    return Controls(
        trouble,
        login,
        key,
        enter,
        picture,
        shown,
        scene,
        scene_seed,
        add,
        place,
        stop,
        forget,
        wipe,
        understood,
        where,
        outline,
        editor,
        wishes,
    )


def _picture() -> tuple[Any, Any, Any, Any]:
    shown = [(str(one.path), f"{one.subject} into {one.path.stem.split('_')[0]}") for one in examples()]
    with gr.Tabs():
        with gr.Tab("Your picture"):
            picture = gr.Image(
                label="Picture", sources=["upload", "clipboard"], type="filepath", format="png", height=280,
                elem_id="picture", placeholder="Drop a picture here, paste one, or click to choose",
                buttons=["fullscreen"],
            )  # fmt: skip
        with gr.Tab("Examples", visible=bool(shown)):
            gallery = gr.Gallery(
                shown, label="Examples", columns=4, allow_preview=False, height="auto", elem_id="examples",
                object_fit="cover", interactive=False, buttons=[],
            )  # fmt: skip
        with gr.Tab("From words"):
            scene = gr.Textbox(
                label="Scene",
                placeholder="a photo of a meadow",
                elem_id="scene",
                info="The model makes it first.",
            )
            scene_seed = gr.Number(value=0, precision=0, label="Seed of the scene", minimum=0)
    return picture, gallery, scene, scene_seed


def _areas() -> tuple[Any, Any, Any, Any, Any]:
    with gr.Accordion("Where it may go", open=False, elem_id="where") as where:
        with gr.Tabs():
            with gr.Tab("Draw a box"):
                gr.Radio(
                    [("Where it shall be", "box"), ("Where nothing of it may be", "avoid")], value="box",
                    label="Drag over the picture", elem_id="outlined", interactive=True,
                )  # fmt: skip
                outline = gr.HTML(elem_id="outline")
            with gr.Tab("Paint"):
                editor = _brushes()
        with gr.Row():
            box = gr.Textbox(
                label="Inside this box", placeholder="left, top, right, bottom", elem_id="box", min_width=140
            )
            avoid = gr.Textbox(
                label="Outside this box",
                placeholder="left, top, right, bottom",
                elem_id="avoid",
                min_width=140,
            )
    return where, outline, editor, box, avoid


def _brushes() -> Any:
    gr.Markdown("Paint green where it shall be and red where nothing of it may be. It counts before a box.")
    brush = gr.Brush(
        default_size=24, colors=[words.REGION_COLOUR, words.AVOID_COLOUR], color_mode="fixed",
        default_color=words.REGION_COLOUR,
    )  # fmt: skip
    return gr.ImageEditor(
        label="Paint on the picture", type="pil", sources=[], transforms=[], brush=brush, layers=False,
        height=360, elem_id="editor", buttons=["fullscreen"],
    )  # fmt: skip


def _knobs() -> list[Any]:
    """Seed, keep_best and retry, then the rest of a `Wish` after its boxes."""
    with gr.Accordion("The method's knobs", open=False, elem_id="knobs"):
        seed = gr.Textbox(label="First seed", info="Empty: at random.", elem_id="seed")
        keep = gr.Slider(
            0, MAX_SEEDS, value=0, step=1, label="Keep the best", info=f"{words.KEEP_BEST} 0 finishes all."
        )
        retry = gr.Checkbox(label="Try again when nothing was added", info=words.RETRY, elem_id="retry")
        gamma = gr.Textbox(
            label="γ", info=words.GAMMA, placeholder="as the preset has it; auto", elem_id="gamma"
        )
        structure = gr.Textbox(label="t_struct, as a step", info=words.STRUCTURE)
        blend = gr.Textbox(label="t_blend, as steps", info=words.BLEND, placeholder="as the preset has it")
        localizer = gr.Dropdown(["", *get_args(Localizer)], value="", label="Localizer", info=words.LOCALIZER)
        with gr.Row():
            steps = gr.Textbox(label="Steps", info=words.STEPS, min_width=140, elem_id="denoising-steps")
            guidance = gr.Textbox(label="Guidance", info=words.GUIDANCE, min_width=140)
        inversion = gr.Dropdown(["", *get_args(Inversion)], value="", label="Inversion", info=words.INVERSION)
        shadow = gr.Checkbox(value=True, label="Keep the object's shadow", info=words.SHADOW)
        mode = gr.Dropdown([*get_args(Mode)], value="exact", label="Mode", info=words.MODE)
        preset = gr.Textbox(label="Preset", info=words.PRESET)
    return [
        seed,
        keep,
        retry,
        gamma,
        structure,
        blend,
        localizer,
        steps,
        guidance,
        inversion,
        shadow,
        mode,
        preset,
    ]


def example(index: int) -> tuple[str, str, str, str]:
    """(path, what it shows, what to add, a seed that does well) of one of the examples."""
    one = examples()[index]
    return str(one.path), one.source_prompt, with_article(one.subject), str(one.seed)
