"""Worker processes of a test: real ones, started as an operator would, with short leases."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import psutil
import pytest
from redis import Redis

from api_schemas.base import new_id
from api_schemas.insertions import InsertionRequest
from api_schemas.jobs import TERMINAL
from job_store import tickets
from job_store.artifacts import ArtifactStore
from job_store.audit import violations
from job_store.connection import connect
from job_store.jobs import JobStore
from job_store.records import JobRecord, NewJob
from job_store.workers import WorkerRegistry, WorkerState
from runtime.settings import Settings, environment
from runtime.valkey import embedded_valkey

ROOT = Path(__file__).parents[2]
TENANT, MODEL = "acme", "scripted"
Value = TypeVar("Value")


def until(wanted: Callable[[], Value | None], seconds: float = 10.0) -> Value:
    """The first thing that is true; fails after `seconds`."""
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at:
        found = wanted()
        if found:
            return found
        time.sleep(0.005)
    raise AssertionError(f"not within {seconds} s")


def short(url: str, folder: Path, **changes: Any) -> Settings:
    """Settings under which everything that takes seconds takes tenths."""
    given: dict[str, Any] = {
        "redis_url": url, "artifact_url": f"file://{folder}/artifacts", "signing_secret": "signing",
        "runner": "tests.workers.scripted_runner:load", "model": MODEL, "max_engine_exits": 1000,
        "lease_seconds": 1.0, "affinity_seconds": 5.0, "beat_seconds": 0.2, "step_seconds": 1.0,
        "reconcile_seconds": 0.1,
        "webhook_secret": "whsec_c2VjcmV0c2VjcmV0c2VjcmV0", "webhook_schedule": (0, 0.1, 0.1),
        "webhook_timeout_seconds": 2.0, "allow_loopback_egress": True,
    }  # fmt: skip
    return Settings(**(given | changes))


class Fleet:
    """Starts processes, gives them work, ends them all."""

    def __init__(self, redis: Redis, settings: Settings, folder: Path) -> None:
        self.redis, self.settings, self.folder = redis, settings, folder
        self.jobs, self.registry = JobStore(redis), WorkerRegistry(redis)
        self.artifacts = ArtifactStore(settings.artifact_url)
        self.processes: list[subprocess.Popen[bytes]] = []
        self.ready_seconds = 60.0  # how long a worker may take to load
        self._workers: list[subprocess.Popen[bytes]] = []

    def worker(self, settings: Settings | None = None, **variables: str) -> subprocess.Popen[bytes]:
        """`python -m workers`, with these environment variables beside the settings."""
        self._workers.append(self.start("workers", settings or self.settings, **variables))
        return self._workers[-1]

    def background(self, settings: Settings | None = None, **variables: str) -> subprocess.Popen[bytes]:
        """`python -m workers.background`."""
        return self.start("workers.background", settings or self.settings, **variables)

    def state(self, process: subprocess.Popen[bytes]) -> WorkerState | None:
        """What a worker says of itself."""
        return next((state for state in self.registry.all() if state.pid == process.pid), None)

    def workers(self, count: int) -> list[subprocess.Popen[bytes]]:
        """So many workers that are ready, and no others: those there are, and new ones."""
        live = [process for process in self._workers if process.poll() is None]
        for process in live[count:]:
            process.kill()
            process.wait()
        found = live[:count] + [self.worker() for _ in range(count - len(live))]
        for process in found:
            self.until_ready(process)
        return found

    def until_ready(self, process: subprocess.Popen[bytes], other_than: int | None = None) -> WorkerState:
        """The worker's state once its engine (one `other_than` this process) is ready."""

        def ready() -> WorkerState | None:
            assert process.poll() is None, self.logs()
            state = self.state(process)
            return state if state and state.state == "ready" and state.engine_pid != other_than else None

        return until(ready, self.ready_seconds)

    def submit(
        self, prompt: str = "a dog", *, ticket: bool = True, size: str | None = None, **fields: Any
    ) -> str:
        """A new job as the gateway makes it; its id."""
        given = {"source": {"kind": "generated", "prompt": "a room"}, "prompt": prompt, "subject": "dog"}
        request = InsertionRequest.model_validate(given | fields)
        job = NewJob(new_id("ins"), TENANT, MODEL, request, source_key=None, size=size)
        self.jobs.submit(job)
        if ticket:
            tickets.issue(self.redis, MODEL)
        return job.id

    def until_ended(self, job_id: str, seconds: float = 60.0) -> JobRecord:
        """The record in its end state."""

        def ended() -> JobRecord | None:
            record = self.jobs.get(job_id)
            return record if record.status in TERMINAL else None

        return until(ended, seconds)

    def until_under_way(self, job_id: str) -> JobRecord:
        """The running record after its first step."""

        def under_way() -> JobRecord | None:
            record = self.jobs.get(job_id)
            return record if record.progress is not None else None

        return until(under_way, 30)

    def violations(self) -> list[str]:
        """What the audit says of records and pictures at this moment."""
        return violations(self.redis, self.artifacts)

    def logs(self) -> str:
        """What all processes said."""
        return "\n".join(path.read_text() for path in sorted(self.folder.glob("*.log")))

    def end(self) -> None:
        """Kill everything."""
        for process in self.processes:
            process.kill()
            process.wait()

    def start(self, module: str, settings: Settings, **variables: str) -> subprocess.Popen[bytes]:
        """`python -m` any module of the project."""
        log = (self.folder / f"{len(self.processes)}-{module}.log").open("wb")
        command, variables = [sys.executable, "-m", module], environment(settings) | variables
        with log:
            process = subprocess.Popen(command, cwd=ROOT, env=variables, stdout=log, stderr=log)
        self.processes.append(process)
        return process


@contextmanager
def fleet_of(redis: Redis, settings: Settings, folder: Path) -> Iterator[Fleet]:
    """A fleet whose promises are checked at the end (fault 1), when nobody changes anything any more."""
    fleet = Fleet(redis, settings, folder)
    try:
        yield fleet
    finally:
        fleet.end()
    assert fleet.violations() == [], fleet.logs()


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """One for all tests of a file, on a Valkey of its own: starting a worker takes a second."""
    folder = tmp_path_factory.mktemp("fleet")
    with embedded_valkey(folder / "valkey") as valkey, connect(valkey.url) as redis:
        with fleet_of(redis, short(valkey.url, folder), folder) as fleet:
            yield fleet


def gone(pid: int | None) -> bool:
    """Whether a process runs no more."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def stop(process: subprocess.Popen[bytes]) -> int:
    """SIGTERM; the exit code."""
    process.send_signal(signal.SIGTERM)
    return process.wait(60)
