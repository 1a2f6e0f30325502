"""Jobs handed to a pool of processes as they get free, not all at once: what waits can still be left."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")


def kept_busy(
    submit: Callable[[Job], Future[Result]], jobs: Iterable[Job], processes: int
) -> Iterator[tuple[Job, Result]]:
    """Every job with its result, as they end. Raises what a job raised.

    jobs: asked for the next one when a process is about to need it; one job waits beyond those that run
    """
    ahead, running = iter(jobs), dict[Future[Result], Job]()
    while True:
        while len(running) <= processes and (job := next(ahead, None)) is not None:
            running[submit(job)] = job
        if not running:
            return
        for done in wait(running, return_when=FIRST_COMPLETED).done:
            yield running.pop(done), done.result()
