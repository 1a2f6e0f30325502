"""A moment of a job as people see it: a sentence, a bar, the state for screen readers."""

from __future__ import annotations

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
