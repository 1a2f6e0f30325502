"""How long an insertion takes on all cores, as the service runs it: the first after a start, and others."""

import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from statistics import median

from toyland.score.insertions import InsertionJob
from toyland.score.instruments import open_instruments
from toyland.score.measuring import Laboratory

REPEATS = 3


def measure_speed(laboratory: Laboratory, job: InsertionJob) -> tuple[float, float]:
    """Seconds of one insertion, and from the start of a new process to the end of its first.

    Nothing else should run meanwhile.
    """
    began = time.monotonic()
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        later, ended = pool.submit(_insert_some, laboratory, job).result()
    return later, ended - began


def _insert_some(laboratory: Laboratory, job: InsertionJob) -> tuple[float, float]:
    """Median seconds of an insertion after the first, and when that first one ended (`time.monotonic`, which
    all processes of a machine share)."""
    instruments = open_instruments(laboratory.weights, laboratory.workshop, laboratory.versions)
    job.make(instruments)
    ended = time.monotonic()
    seconds = []
    for _ in range(REPEATS):
        began = time.monotonic()
        job.make(instruments)
        seconds.append(time.monotonic() - began)
    return median(seconds), ended
