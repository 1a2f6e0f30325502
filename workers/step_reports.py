"""How far a job is: its share done, from the steps of the insertions that it takes."""

from __future__ import annotations

from api_schemas.jobs import Stage
from workers.addit.progress import OnStep as OnForward
from workers.runner import OnStep


def ticker(on_step: OnStep, look: int, looks: int) -> OnForward:
    """Reports the steps of insertion number `look` of the `looks` that a request takes."""

    def tick(stage: str, done: int, total: int) -> None:
        percent = 100 * (look + done / total) / looks
        on_step("source" if stage == "source" else "denoise", done, total, percent)

    return tick


def on_step_at(on_step: OnStep, percent: float, stage: Stage, done: int, total: int, _: float) -> None:
    """Report steps whose number nobody foresaw: the job's share done stands still."""
    on_step(stage, done, total, percent)
