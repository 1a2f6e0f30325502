"""A moment of a job as people see it: a sentence, a bar, the state for screen readers, what forms."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from studio.jobs import Moment

STAGES = {
    "encode": "Reading the words and the picture",
    "source": "Learning the scene",
    "denoise": "Forming the object",
    "localize": "Finding the object",
    "decode": "Painting the result",
    "upload": "Storing the pictures",
}


STEPPED = ("source", "denoise")
"""Stages whose steps mean something to people."""


def sentence(moment: Moment) -> str:
    """What is happening, in words."""
    if moment.status == "queued":
        return f"{_place(moment.position)}{_soon(moment)}"
    if moment.status != "running":
        return f"The job has {moment.status}."
    step = f", step {moment.step} of {moment.total}" if moment.stage in STEPPED else ""
    return f"{STAGES.get(moment.stage, moment.stage)}{step}"


def _place(position: int | None) -> str:
    if position is None:
        return "Waiting for a worker"
    if position == 0:
        return "Next in line"
    return f"{position} job{'s' if position > 1 else ''} before yours"


def _soon(moment: Moment) -> str:
    if moment.eta is None:
        return ""
    likely, late = (max(1, round(seconds)) for seconds in (moment.eta.p50, moment.eta.p90))
    return f", done in about {likely} s" + (f", rarely over {late} s" if late > likely else "")


def bar(moment: Moment) -> str:
    """The sentence over a progress bar."""
    words, percent = escape(sentence(moment)), round(moment.percent)
    state = f'max="100" value="{percent}"' if moment.status == "running" else ""
    return (
        f'<div class="live" data-status="{escape(moment.status)}" data-job="{escape(moment.job_id)}">'
        f'<span role="status">{words}</span>'
        f'<progress {state} aria-label="Progress">{percent} %</progress></div>'
    )


@dataclass(frozen=True)
class Variation:
    """One that forms. told: in words, in place of the picture behind `link`; button: empty where none is"""

    index: int
    link: str
    told: str
    button: str
    is_gone: bool


def variations(moment: Moment, seeds: int) -> list[Variation]:
    """Those that have a picture so far. seeds: of the job; a single one is stopped, not let go"""
    return [
        Variation(index, one.url, *_formed(one.seed, one.seed in moment.dropped, seeds > 1))
        for index, one in sorted(moment.previews.items())
    ]


def _formed(seed: int, is_gone: bool, has_others: bool) -> tuple[str, str, bool]:
    if is_gone:
        return f"Seed {seed}, let go", f"Seed {seed} let go", True
    return f"Seed {seed} as it forms", f"Let go of seed {seed}" if has_others else "", False
