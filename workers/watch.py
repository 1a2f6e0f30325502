"""Judges whether an attempt may go on. Pure: it is told what happened and what time it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from workers.messages import StopReason

ANSWER_SECONDS = 8.0  # a step is over by then, or the engine does not listen

Verdict = Literal["hang", "deadline", "canceled", "superseded"]
"""Why the engine must be killed: no step for too long, or asked to stop and not stopping."""


@dataclass
class Watch:
    """All times are monotonic seconds."""

    step_seconds: float
    deadline_at: float
    last_beat: float
    asked: StopReason | None = None
    asked_at: float = 0.0

    def beat(self, now: float) -> None:
        """The engine has got one step further."""
        self.last_beat = now

    def ask(self, reason: StopReason, now: float) -> bool:
        """The engine is to stop; whether this is news."""
        if self.asked is not None:
            return False
        self.asked, self.asked_at = reason, now
        return True

    def verdict(self, now: float) -> Verdict | None:
        """Why to kill the engine, or None while it may go on."""
        patience = min(self.step_seconds, ANSWER_SECONDS)
        if self.asked is not None and now > self.asked_at + patience:
            return self.asked
        if now > self.deadline_at + patience:
            return "deadline"
        return "hang" if now > self.last_beat + self.step_seconds else None
