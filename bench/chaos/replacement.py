"""How long a worker is without an engine after kill -9, with the embedded model: killed while idle."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path

from bench.chaos.fleet import Part
from job_store.connection import connect
from job_store.workers import WorkerRegistry
from runtime.settings import Settings
from runtime.valkey import embedded_valkey

KILLS = 3
READY_SECONDS = 120.0
POLL_SECONDS = 0.01


def replacement_seconds(folder: Path) -> list[float]:
    """From each of `KILLS` kills until another engine has loaded and proved itself. Raises `TimeoutError`."""
    with embedded_valkey(folder / "embedded") as valkey, connect(valkey.url) as redis:
        settings = Settings(redis_url=valkey.url, max_engine_exits=KILLS + 1, beat_seconds=0.1)
        worker = Part("worker-1", settings, folder / "embedded.log")
        worker.start()
        try:
            _await_engine(WorkerRegistry(redis), other_than=None)
            return [_kill(worker, WorkerRegistry(redis)) for _ in range(KILLS)]
        finally:
            worker.end()


def _kill(worker: Part, registry: WorkerRegistry) -> float:
    old, began = worker.engine_pid(), time.monotonic()
    worker.signal_engine(signal.SIGKILL)
    _await_engine(registry, other_than=old)
    return time.monotonic() - began


def _await_engine(registry: WorkerRegistry, other_than: int | None) -> None:
    _until(lambda: any(state.state == "ready" and state.engine_pid != other_than for state in registry.all()))


def _until(wanted: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + READY_SECONDS
    while not wanted():
        if time.monotonic() > ends_at:
            raise TimeoutError
        time.sleep(POLL_SECONDS)
