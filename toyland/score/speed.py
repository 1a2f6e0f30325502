"""How long an insertion takes on all cores, as the service runs it: the first after a start, and others.

Times mean something on an idle machine alone: beside a busy process, threads that wait for each other take
many times as long.
"""

import multiprocessing
import time
from multiprocessing.connection import Connection
from statistics import median

from toyland.score.figures import Figure, seconds
from toyland.score.insertions import InsertionJob
from toyland.score.instruments import open_instruments
from toyland.score.measuring import Laboratory

REPEATS = 3


def measure_speed(laboratory: Laboratory, job: InsertionJob, patience: float) -> list[Figure]:
    """Seconds from the start of a new process to the end of its first insertion, and of one after it; without
    what was not over after `patience` seconds."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_insert_some, args=(laboratory, job, theirs), daemon=True)
    began = time.monotonic()
    process.start()
    theirs.close()
    figures = list[Figure]()
    try:
        for name in ("speed.first_insertion", "speed.insertion"):
            if not ours.poll(began + patience - time.monotonic()):
                break
            value = ours.recv()
            figures.append(seconds(name, value - began if name == "speed.first_insertion" else value))
    finally:
        process.terminate()
        process.join()
    return figures


def _insert_some(laboratory: Laboratory, job: InsertionJob, report: Connection) -> None:
    """Reports when the first insertion ended, then the median seconds of some more.

    All processes of a machine share `time.monotonic`.
    """
    instruments = open_instruments(laboratory.weights, laboratory.workshop, laboratory.versions)
    job.make(instruments)
    report.send(time.monotonic())
    times = []
    for _ in range(REPEATS):
        began = time.monotonic()
        job.make(instruments)
        times.append(time.monotonic() - began)
    report.send(median(times))
