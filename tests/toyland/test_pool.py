"""A pool's processes are opened once each, and none is left when its parent is killed."""

import os
import subprocess
import sys
from functools import partial

from tests.workers.fleet import gone, until
from toyland.pool import bound_pool

opened = list[str]()  # of each process


def put_down(*words: str) -> None:
    opened.extend(words)


def tell(_: int) -> tuple[list[str], int]:
    return opened, os.getppid()


def test_processes_are_opened_before_their_first_job() -> None:
    with bound_pool(2, put_down, "model", "judge") as pool:
        assert set(map(str, pool.map(tell, range(6)))) == {str((["model", "judge"], os.getpid()))}


KILLED = """
import os, signal
from toyland.pool import bound_pool
pool = bound_pool(2)
print(*{pool.submit(os.getpid).result() for _ in range(2)}, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_processes_die_with_a_parent_that_was_killed() -> None:
    killed = [sys.executable, "-c", KILLED]
    told = subprocess.run(killed, stdout=subprocess.PIPE, text=True, check=False, timeout=120)
    pids = [int(word) for word in told.stdout.split()]
    assert pids, "it had processes"
    for pid in pids:
        until(partial(gone, pid))
