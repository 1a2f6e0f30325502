"""Judges whether an attempt may go on. Pure: it is told what happened and how much time went by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from workers.messages import StopReason

ANSWER_SECONDS = 8.0  # a step is over by then, or the engine does not listen

Verdict = Literal["hang"] | StopReason
"""Why the engine must be killed: no step for too long, or asked to stop and not stopping."""


@dataclass
class Watch:
    """step_seconds: the longest a step may take; round_seconds: the longest time between two looks."""

    step_seconds: float
    round_seconds: float
    silent: float = 0.0
    asked: StopReason | None = None
    unanswered: float = 0.0

    def beat(self) -> None:
        """The engine has got one step further."""
        self.silent = 0.0

    def company_beat(self) -> None:
        """Another that has the model in turns with this one has got a step further: its own turn comes."""
        self.silent = self.unanswered = 0.0

    def ask(self, reason: StopReason) -> bool:
        """The engine is to stop; whether this is news."""
        news = self.asked is None
        self.asked = self.asked or reason
        return news

    def pass_time(self, seconds: float) -> None:
        """Time went by. Of a long pause only a round counts: we were asleep, and maybe the engine too."""
        seconds = min(seconds, self.round_seconds)
        self.silent += seconds
        if self.asked is not None:
            self.unanswered += seconds

    def verdict(self) -> Verdict | None:
        """Why to kill the engine, or None while it may go on."""
        if self.asked is not None and self.unanswered > min(self.step_seconds, ANSWER_SECONDS):
            return self.asked
        return "hang" if self.silent > self.step_seconds else None
