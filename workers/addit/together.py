"""Several edits in one process that share passes of the transformer.

Each runs in a thread, one at a time, until it wants a velocity; when all of them wait for one, all are made.
So no two edits ever run at once, and what they share (weights, memories) needs no lock.
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Thread
from typing import Any, Generic, TypeVar, cast

import torch
from torch import Tensor

from workers.addit.backbones.backbone import Backbone
from workers.addit.backbones.conditioning import Conditioning
from workers.addit.latents import LatentGrid
from workers.addit.processor import Exchange
from workers.addit.shared_passes import Answer, Ask, Pays, answer_all

Result = TypeVar("Result")
Job = Callable[[Backbone], Result]
"""Does one edit with the backbone that it is given."""


class Abandoned(BaseException):
    """Leaves a job that nobody waits for any more."""


@dataclass
class _Turn(Generic[Result]):
    """One job: `told` wakes it, `said` is what it wanted or how it ended."""

    job: Job[Result]
    told: SimpleQueue[Answer | Abandoned | None] = field(default_factory=SimpleQueue)
    said: SimpleQueue[Ask | None] = field(default_factory=SimpleQueue)
    result: Result | None = None
    error: BaseException | None = None

    def run(self, backbone: Backbone) -> None:
        """The thread: to its first ask, and so on to its end."""
        self.told.get()
        try:
            self.result = self.job(cast(Backbone, _AskingBackbone(backbone, self.ask)))
        except BaseException as error:
            self.error = error
        self.said.put(None)

    def ask(self, ask: Ask) -> Tensor:
        """Called by the job; waits for its velocity."""
        self.said.put(ask)
        answer = self.told.get()
        if isinstance(answer, Tensor):
            return answer
        assert answer is not None
        raise answer

    def go_on(self, answer: Answer | Abandoned | None) -> Ask | None:
        """Let it run with the answer until it wants another; None at its end."""
        self.told.put(answer)
        return self.said.get()


@dataclass(frozen=True)
class _AskingBackbone:
    """A backbone whose velocities are asked for, and whose attention is borrowed already."""

    inner: Backbone
    asked: Callable[[Ask], Tensor]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def exchange_processors(self) -> AbstractContextManager[None]:
        """See `run_together`, which has done it for all."""
        return nullcontext()

    def velocity(
        self,
        latents: Tensor,
        sigma: float | Tensor,
        cond: Conditioning,
        grid: LatentGrid,
        exchange: Exchange,
        unconditional: Exchange | None = None,
    ) -> Tensor:
        """See `Backbone`."""
        return self.asked(Ask(latents, sigma, cond, grid, exchange, unconditional))


def run_together(backbone: Backbone, jobs: Sequence[Job[Result]], pays: Pays) -> list[Result | BaseException]:
    """Each job's result, or what it raised, which concerns no other job.

    pays: says which passes are shared; the others are made one after the other
    """
    turns = [_Turn(job) for job in jobs]
    with _running(turns, backbone), torch.inference_mode(), backbone.exchange_processors():
        waiting = {index: turn.go_on(None) for index, turn in enumerate(turns)}
        while asks := {index: ask for index, ask in waiting.items() if ask is not None}:
            answers = answer_all(backbone, list(asks.values()), pays)
            waiting = {index: turns[index].go_on(answer) for index, answer in zip(asks, answers, strict=True)}
    return [cast(Result, turn.result) if turn.error is None else turn.error for turn in turns]


@contextmanager
def _running(turns: Sequence[_Turn[Any]], backbone: Backbone) -> Iterator[None]:
    """Their threads, which end with the context whatever happens in it."""
    contexts = [contextvars.copy_context() for _ in turns]
    threads = [
        Thread(target=context.run, args=(turn.run, backbone), name="edit", daemon=True)
        for context, turn in zip(contexts, turns, strict=True)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for thread, turn in zip(threads, turns, strict=True):
            while thread.is_alive():
                turn.told.put(Abandoned())
                thread.join(0.1)
