"""The page of a blind study: two results side by side, a vote by key or button, win rates with intervals."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from studio import words
from studio.votes import Choice, Study, rows, sides, win_rates

HEADERS = ["Method", "Votes", "Preferred", "95 % interval (Wilson)"]


def draw(page: gr.Blocks, folder: Path | None) -> None:
    """Draws the page; inside its Blocks."""
    study = Study(folder) if folder is not None else None
    gr.Markdown(
        "# Which one is better?\nTwo results of the same request, in a random order, methods not named."
    )
    if study is None or not study.pairs:
        gr.HTML(words.note(words.NO_STUDY))
        return
    voter, pair = gr.State(""), gr.State("")
    question = gr.HTML(elem_id="question")
    source = _picture("The scene before", "study-source", 220)
    with gr.Row():
        with gr.Column(min_width=280):
            left = _picture("Left", "study-left", 420)
        with gr.Column(min_width=280):
            right = _picture("Right", "study-right", 420)
    with gr.Row():
        buttons = {
            "left": gr.Button("Left is better (1)", variant="primary", elem_id="vote-left", min_width=140),
            "tie": gr.Button("No difference (0)", elem_id="vote-tie", min_width=140),
            "right": gr.Button("Right is better (2)", variant="primary", elem_id="vote-right", min_width=140),
        }
    with gr.Accordion("Results so far", open=False, elem_id="win-rates"):
        table = gr.Dataframe(
            headers=HEADERS, interactive=False, elem_id="rates", label="How often each was preferred"
        )
        refresh = gr.Button("Count now", elem_id="count")
    outputs = [voter, pair, question, source, left, right, *buttons.values()]
    page.load(lambda: _shown(study, secrets.token_hex(8)), None, outputs)
    for choice, button in buttons.items():
        button.click(_voting(study, choice), [voter, pair], outputs, show_progress="hidden")
    refresh.click(lambda: rows(win_rates(study.votes)), None, table)


def _picture(label: str, name: str, height: int) -> Any:
    return gr.Image(
        label=label,
        alt_text=label,
        interactive=False,
        elem_id=name,
        height=height,
        type="filepath",
        format="png",
        buttons=[],
    )


def _voting(study: Study, choice: str) -> Callable[[str, str], list[Any]]:
    def vote(voter: str, pair: str) -> list[Any]:
        if pair:
            study.cast(pair, _choice(choice), voter)
        return _shown(study, voter)

    return vote


def _choice(said: str) -> Choice:
    return "left" if said == "left" else "right" if said == "right" else "tie"


def _shown(study: Study, voter: str) -> list[Any]:
    """Values of the page's parts for the next pair, or for the end."""
    pair = study.next_for(voter)
    usable = gr.update(interactive=pair is not None)
    if pair is None:
        empty = gr.update(value=None, visible=False)
        return [voter, "", words.note(words.ALL_JUDGED), empty, empty, empty, usable, usable, usable]
    number = len([vote for vote in study.votes if vote.voter == voter]) + 1
    asked = words.note(f"{pair.question} ({number} of {len(study.pairs)})")
    left, right = (str(study.folder / side.image) for side in sides(pair, voter))
    before = (
        gr.update(value=str(study.folder / pair.source), visible=True)
        if pair.source
        else gr.update(visible=False)
    )
    return [voter, pair.id, asked, before, left, right, usable, usable, usable]
