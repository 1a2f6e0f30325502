"""A process that dies with its parent, from before it imports anything that takes long."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

PR_SET_PDEATHSIG = 1  # linux/prctl.h


class Bound:
    """Stands before a spawned process's other arguments: unpickled in it, it binds it to the process, and the
    thread, that spawned it; those after it may take as long to import as they like."""

    def __reduce__(self) -> tuple[Callable[[int], None], tuple[int]]:
        return die_with, (os.getpid(),)


def begin(bound: None, main: Callable[..., None], *arguments: Any) -> None:
    """What a bound process runs: `main`, which is imported after it is bound."""
    main(*arguments)


def die_with(parent: int) -> None:
    """Have the kernel kill this process when its parent dies, even while it is stopped (prctl(2))."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(0)
