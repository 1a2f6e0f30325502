"""What a step of the verification is and how steps are run: one after the other, whatever becomes of one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from runtime.settings import Settings
from workers.addit.models import Models
from workers.models.errors import ModelError, PullFailed
from workers.models.profiles import ModelProfile

State = Literal["passed", "failed", "not run"]
NO_CUDA = "no CUDA here"


@dataclass(frozen=True)
class Found:
    """What a step saw: a sentence, numbers for programs, and a table for people (header first)."""

    summary: str
    values: dict[str, Any] = field(default_factory=dict)
    table: Sequence[Sequence[str]] = ()


class StepFailed(Exception):
    """What is wrong, and what to do next. found: what was seen all the same."""

    def __init__(self, wrong: str, next_step: str, found: Found | None = None) -> None:
        super().__init__(wrong)
        self.next_step, self.found = next_step, found


class NotRun(Exception):
    """Why a step could not be run, which is neither good nor bad. found: what is known without it."""

    def __init__(self, reason: str, found: Found | None = None) -> None:
        super().__init__(reason)
        self.found = found


@dataclass
class Trial:
    """What the steps work on, and what they leave for later ones.

    absent: repositories that are not on this machine; models: once loaded; forward_seconds: once timed
    """

    settings: Settings
    profile: ModelProfile
    absent: tuple[str, ...] = ()
    models: Models | None = None
    forward_seconds: float | None = None

    def loaded(self) -> Models:
        """Raises `NotRun`."""
        if self.models is None:
            raise NotRun("the model is not loaded")
        return self.models


@dataclass(frozen=True)
class Step:
    """unforeseen: what to do next where something else than `StepFailed` is raised."""

    name: str
    run: Callable[[Trial], Found]
    unforeseen: str


@dataclass(frozen=True)
class Outcome:
    """next_step: empty unless it failed; seconds: wall clock."""

    step: str
    state: State
    found: Found
    next_step: str
    seconds: float


def outcomes(steps: Sequence[Step], trial: Trial) -> Iterator[Outcome]:
    """Every step's, as soon as it is there."""
    for step in steps:
        started = time.perf_counter()
        state, found, next_step = _outcome(step, trial)
        yield Outcome(step.name, state, found, next_step, time.perf_counter() - started)


def _outcome(step: Step, trial: Trial) -> tuple[State, Found, str]:
    try:
        return "passed", step.run(trial), ""
    except NotRun as reason:
        return "not run", _with(str(reason), reason.found), ""
    except StepFailed as failure:
        return "failed", _with(str(failure), failure.found), failure.next_step
    except PullFailed as failure:
        return "failed", Found(str(failure)), failure.next_step
    except ModelError as failure:
        return "failed", Found(str(failure)), step.unforeseen
    except Exception as failure:  # the report goes on, whatever a driver or a library raises
        return "failed", Found(f"{type(failure).__name__}: {failure}"), step.unforeseen


def _with(sentence: str, found: Found | None) -> Found:
    return Found(sentence) if found is None else Found(sentence, found.values, found.table)
