"""Processes for work that fills every core, gone when whoever asked for them is gone."""

import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from workers.bound import die_with


def bound_pool(
    count: int, opening: Callable[..., None] | None = None, *arguments: object
) -> ProcessPoolExecutor:
    """`count` processes; each calls `opening` with the arguments once, before its first job.

    A plain pool's processes wait for ever where their parent was killed, and keep their models.
    """
    spawn = get_context("spawn")  # forked torch threads hang
    return ProcessPoolExecutor(count, spawn, _begin, (os.getpid(), opening, arguments))


def _begin(parent: int, opening: Callable[..., None] | None, arguments: tuple[object, ...]) -> None:
    die_with(parent)
    if opening is not None:
        opening(*arguments)
