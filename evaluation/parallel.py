"""Items measured in several processes of one thread each, which on a CPU is faster than threads.

A process keeps the model and the judges for its whole life and appends to the same files as the others; an
item is one process' alone, so that what is learned of its source serves every method and seed.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import torch

from evaluation.methods.method import Method, Workbench
from evaluation.metrics.judges import Judges, toyland_judges
from evaluation.running import Evaluation, plan
from evaluation.suites.items import Item
from toyland.pool import bound_pool
from toyland.score.busy import kept_busy
from workers.models.profiles import find_profile


@dataclass(frozen=True)
class Task:
    """All methods and seeds on one item. stage: a process looks at what others wrote when it changes

    alone: every picture is made as if it were the only one, so that its cost is known
    """

    stage: str
    folder: Path
    suite: str
    item: Item
    methods: Mapping[str, Method]
    seeds: Sequence[int]
    alone: bool


@contextmanager
def processes(count: int, model: str, deadline: float) -> Iterator[ProcessPoolExecutor]:
    """Processes for `perform`; when the block is left, whatever they are at is given up.

    model: the base's profile; deadline: by `time.time`, after which no item is begun
    """
    before = set(multiprocessing.active_children())
    pool = bound_pool(count, _open, model, deadline)
    try:
        yield pool
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in set(multiprocessing.active_children()) - before:
            process.terminate()  # an item under way may take minutes; its pictures so far are kept
            process.join()


def perform(pool: ProcessPoolExecutor, count: int, tasks: Sequence[Task]) -> Iterator[bool]:
    """For every task, as they end, whether it was done; False is the deadline's."""
    for _, done in kept_busy(lambda task: pool.submit(_measure, task), tasks, count):
        yield done


@dataclass
class Opened:
    """What a process keeps."""

    bench: Workbench
    deadline: float
    judges: Judges
    evaluations: dict[tuple[str, Path, str], Evaluation] = field(default_factory=dict)

    def measure(self, task: Task) -> None:
        """All of a task's pictures."""
        ours = self._evaluation(task)
        ours.reuse = not task.alone
        for trial in plan(task.methods, [task.item], task.seeds):
            ours.measure(trial)
        self.bench.forget()

    def _evaluation(self, task: Task) -> Evaluation:
        key = (task.stage, task.folder, task.suite)
        if key not in self.evaluations:
            self.evaluations = {key: Evaluation(task.folder, task.suite, self.bench, lambda: self.judges)}
        return self.evaluations[key]


_opened: Opened  # of this process, made by the pool's initializer


def _open(model: str, deadline: float) -> None:
    global _opened
    torch.set_num_threads(1)
    _opened = Opened(Workbench(find_profile(model)), deadline, toyland_judges())


def _measure(task: Task) -> bool:
    if time.time() > _opened.deadline:
        return False
    _opened.measure(task)
    return True
