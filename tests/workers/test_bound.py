"""A spawned engine dies with its supervisor, whatever it is at."""

from __future__ import annotations

import signal
from pathlib import Path

import psutil

from tests.workers.fleet import Fleet, gone, until


def importing(supervisor: int) -> psutil.Process | None:
    """A worker's engine that has begun to import what it needs, and is not done with it."""
    for child in psutil.Process(supervisor).children():
        if "--multiprocessing-fork" in child.cmdline():
            loaded = Path(f"/proc/{child.pid}/maps").read_text()
            return child if "pydantic_core" in loaded else None
    return None


def test_an_engine_stopped_while_it_starts_dies_with_its_supervisor(fleet: Fleet) -> None:
    worker = fleet.worker()
    engine = until(lambda: importing(worker.pid), 60)
    engine.send_signal(signal.SIGSTOP)
    state = fleet.state(worker)
    assert state is None or state.state == "loading"
    worker.kill()
    worker.wait()
    until(lambda: gone(engine.pid))
