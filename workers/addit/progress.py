"""How many passes an edit takes, and telling each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from workers.addit.blending import Blend
from workers.addit.config import AdditConfig
from workers.addit.edits import Edit, PromptSource
from workers.addit.source_memory import SourceMemory
from workers.addit.sources import EVALUATIONS

OnStep = Callable[[str, int, int], None]
"""Called with (stage, forwards done, forwards in all) after every step of source or target; may raise to
cancel."""


@dataclass
class Ticks:
    """Counts the steps of both branches as one progress."""

    on_step: OnStep
    source_steps: int
    target_steps: int
    done: int = 0

    def source(self) -> None:
        self._tick("source")

    def denoise(self) -> None:
        self._tick("denoise")

    def _tick(self, stage: str) -> None:
        self.done += 1
        self.on_step(stage, self.done, self.source_steps + self.target_steps)


def source_forwards(edit: Edit, memory: SourceMemory) -> int:
    """How many passes the source's path still needs."""
    steps = edit.config.num_inference_steps
    if isinstance(edit.source, PromptSource):
        return steps + 1 - max(1, len(memory.path))
    evaluations = EVALUATIONS[edit.config.inversion]
    lowest = min(memory.path, default=steps)
    first_midpoint = edit.config.inversion == "midpoint" and memory.carried is None
    return evaluations * max(0, lowest - edit.config.structure_transfer_step) + first_midpoint


def target_forwards(config: AdditConfig, resume: Blend | None) -> int:
    return config.num_inference_steps - (
        config.structure_transfer_step if resume is None else resume.step + 1
    )
