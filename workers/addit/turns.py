"""Jobs of one process that run one at a time and now and then ask for something that is better done for all.

Each runs in a thread, until it asks; when all of them have, all are answered. So no two jobs ever run at
once, and what they share needs no lock. What is asked and answered is not known here, nor any model.
"""

from __future__ import annotations

import contextvars
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Thread
from typing import Any, Generic, Protocol, TypeAlias, TypeVar, cast

from workers.addit.stage_clock import away


class Asked(Protocol):
    """rows: how much of what is done for all is this one's."""

    @property
    def rows(self) -> int:
        """Of the batch."""


Result = TypeVar("Result")
AskedT = TypeVar("AskedT", bound=Asked)
Ask: TypeAlias = Callable[[AskedT], Any]
"""Waits for the answer, and raises it where it is an exception."""
Job: TypeAlias = Callable[[Ask[AskedT]], Result]
AnswerAll: TypeAlias = Callable[[Sequence[AskedT]], Sequence[Any]]


class Abandoned(BaseException):
    """Leaves a job that nobody waits for any more."""


def nobody() -> Sequence[Any]:
    """No job joins."""
    return ()


@dataclass
class _Turn(Generic[AskedT, Result]):
    """One job: `told` wakes it, `said` is what it asks, None at its end. share: of the time that the last
    answer took, in seconds, the part that was for this job."""

    job: Job[AskedT, Result]
    told: SimpleQueue[Any] = field(default_factory=SimpleQueue)
    said: SimpleQueue[AskedT | None] = field(default_factory=SimpleQueue)
    share: float = 0.0
    end: Result | BaseException | None = None

    def begin(self) -> AskedT | None:
        """Run it to its first ask. What it changes of the context is its own."""
        run = contextvars.copy_context().run
        self._thread = Thread(target=run, args=(self._run,), name="job", daemon=True)
        self._thread.start()
        return self.go_on(None)

    def go_on(self, answer: Any) -> AskedT | None:
        """Let it run with the answer until it asks again; None at its end."""
        self.told.put(answer)
        return self.said.get()

    def abandon(self) -> None:
        """End its thread, wherever it is."""
        while self._thread.is_alive():
            self.told.put(Abandoned())
            self._thread.join(0.1)

    def _run(self) -> None:
        self.told.get()
        try:
            with away() as self._away:
                self.end = self.job(self._ask)
        except BaseException as error:
            self.end = error
        self.said.put(None)

    def _ask(self, asked: AskedT) -> Any:
        began = time.perf_counter()
        self.said.put(asked)
        answer = self.told.get()
        self._away.seconds += time.perf_counter() - began - self.share
        if isinstance(answer, BaseException):
            raise answer
        return answer


def take_turns(
    jobs: Sequence[Job[AskedT, Result]],
    answer_all: AnswerAll[AskedT],
    joining: Callable[[], Sequence[Job[AskedT, Result]]] = nobody,
) -> list[Result | BaseException]:
    """Each job's result, or what it raised, which concerns no other job; those that joined come last.

    joining: asked before all are answered who else is to take part from now on
    Clocks of a job's stages count its own turns, and of what is done for several its part by rows.
    """
    ends = list[Result | BaseException]()
    with _taking() as turns:

        def heard(index: int, asked: AskedT | None) -> None:
            if asked is None:
                ends[index] = cast(Result, turns.pop(index).end)
            else:
                waiting[index] = asked

        def admit(some: Sequence[Job[AskedT, Result]]) -> None:
            for job in some:
                index, turns[len(ends)] = len(ends), _Turn(job)
                ends.append(Abandoned())
                heard(index, turns[index].begin())

        waiting = dict[int, AskedT]()
        admit(jobs)
        while waiting:
            admit(joining())
            began, rows = time.perf_counter(), {index: asked.rows for index, asked in waiting.items()}
            answers = answer_all([*waiting.values()])
            took = time.perf_counter() - began
            waiting.clear()  # what was asked may hold much of the accelerator's memory
            for (index, own), answer in zip(rows.items(), answers, strict=True):
                turns[index].share = took * own / sum(rows.values())
                heard(index, turns[index].go_on(answer))
    return ends


@contextmanager
def _taking() -> Iterator[dict[int, _Turn[Any, Any]]]:
    """Turns to be added, and taken away at their end. Whatever happens, no thread is left."""
    turns = dict[int, _Turn[Any, Any]]()
    try:
        yield turns
    finally:
        for turn in turns.values():
            turn.abandon()
