"""The variations as they form: a picture each, and a button to let go of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr
from PIL import Image

from api_schemas.insertions import MAX_SEEDS
from studio.guard import Updates
from studio.jobs import Moment
from studio.live import variations


@dataclass(frozen=True)
class Forming:
    """Components; the lists by the seed's index. all_of_it: around the cells"""

    all_of_it: Any
    cells: list[Any]
    pictures: list[Any]
    let_go: list[Any]


def forming() -> Forming:
    """Draws them, hidden."""
    cells, pictures, let_go = [], [], []
    with gr.Row(visible=False, elem_id="previews") as all_of_it:
        for index in range(MAX_SEEDS):
            with gr.Column(visible=False, min_width=100) as cell:
                pictures.append(
                    gr.Image(
                        label="As it forms",
                        show_label=False,
                        alt_text="As it forms",
                        type="pil",
                        format="png",
                        interactive=False,
                        buttons=[],
                        elem_id=f"preview-{index}",
                    )  # fmt: skip
                )
                let_go.append(gr.Button("Let go", size="sm", min_width=80, elem_id=f"let-go-{index}"))
            cells.append(cell)
    return Forming(all_of_it, cells, pictures, let_go)


def formed(parts: Forming, moment: Moment, pictures: Mapping[str, Image.Image], seeds: int) -> Updates:
    """What a moment shows. pictures: by their link; seeds: of the job"""
    updates: Updates = {parts.all_of_it: gr.update(visible=bool(moment.previews))}
    for one in variations(moment, seeds):
        gone = ["gone"] if one.is_gone else []
        updates[parts.cells[one.index]] = gr.update(visible=True, elem_classes=gone)
        updates[parts.pictures[one.index]] = gr.update(value=pictures[one.link], alt_text=one.told)
        updates[parts.let_go[one.index]] = gr.update(
            value=one.button, interactive=not one.is_gone, visible=bool(one.button)
        )
    return updates


def unformed(parts: Forming) -> Updates:
    """All hidden and empty again."""
    updates: Updates = {parts.all_of_it: gr.update(visible=False)}
    updates |= {cell: gr.update(visible=False, elem_classes=[]) for cell in parts.cells}
    return updates | dict.fromkeys(parts.pictures)
