"""The engine: a process that holds one model for its whole life and runs one attempt after the other.

It knows no queue. The main thread runs the model; a small thread reads the pipe, so a stop is heard while the
model works and the end of the supervisor is the end of the engine.
"""

from __future__ import annotations

import ctypes
import faulthandler
import os
import signal
import sys
from importlib import import_module
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Thread
from typing import NoReturn

import structlog

from job_store.artifacts import ArtifactStore
from job_store.connection import connect
from job_store.jobs import JobStore
from job_store.outlook import Outlook
from runtime import logs
from runtime.content_credentials import credentials_of
from runtime.moderation import moderator_of
from runtime.settings import Settings
from workers.attempt import Attempt, Stores
from workers.failures import where
from workers.messages import (
    Beat,
    Drop,
    Forget,
    FromEngine,
    Lap,
    Proved,
    ProveYourself,
    Ready,
    Remembers,
    Run,
    Stop,
    StopReason,
    ToEngine,
)
from workers.runner import Runner

PR_SET_PDEATHSIG = 1  # linux/prctl.h

log = structlog.get_logger()


def main(settings: Settings, pipe: Connection[FromEngine, ToEngine]) -> None:
    """The process: load the model, prove it, serve until the supervisor is gone or the model is broken."""
    _become_an_engine()
    logs.configure(settings, "engine")
    line = Line(pipe)
    try:
        credentials = credentials_of(settings)
        runner = load_runner(settings)
        runner.canary()
    except Exception as error:
        log.error("model not loaded", model=settings.model, error=where(error, settings.log_prompts))
        sys.exit(1)
    redis = connect(settings.redis_url)
    stores = Stores(
        JobStore(redis),
        ArtifactStore(settings.artifact_url),
        Outlook(redis),
        credentials,
        moderator_of(settings),
    )
    line.say(Ready(runner.card, runner.memory(), runner.device_memory()))
    serve(line, runner, stores, settings)


def load_runner(settings: Settings) -> Runner:
    """Whatever `settings.runner` ("module:callable") makes of the settings."""
    module, _, name = settings.runner.partition(":")
    runner: Runner = getattr(import_module(module), name)(settings)
    return runner


class Line:
    """The pipe to the supervisor. Stops and drops are noted at once, everything else waits its turn."""

    def __init__(self, pipe: Connection[FromEngine, ToEngine]) -> None:
        self._pipe = pipe
        self._inbox: SimpleQueue[Run | ProveYourself | Forget] = SimpleQueue()
        self._stops: dict[str, StopReason] = {}
        self._drops: dict[str, frozenset[int]] = {}
        Thread(target=self._read, name="pipe", daemon=True).start()

    def next(self) -> Run | ProveYourself | Forget:
        """Wait for something to do."""
        return self._inbox.get()

    def say(self, message: FromEngine) -> None:
        """Without a supervisor there is nothing left to do: the process ends."""
        try:
            self._pipe.send(message)
        except OSError:
            _leave()

    def stopped(self, token: str) -> StopReason | None:
        """Why the attempt of this token is to stop, if it is."""
        return self._stops.get(token)

    def dropped(self, token: str) -> frozenset[int]:
        """The seeds that the attempt of this token is to go on without, beside those it began without."""
        return self._drops.get(token, frozenset())

    def beat(self, token: str) -> None:
        """Tell the supervisor that the attempt has got one step further."""
        self.say(Beat(token))

    def lap(self, lap: Lap) -> None:
        """Tell the supervisor that a stage has ended."""
        self.say(lap)

    def forget(self, token: str) -> None:
        """The attempt is over."""
        self._stops.pop(token, None)
        self._drops.pop(token, None)

    def _read(self) -> None:
        while True:
            try:
                message = self._pipe.recv()
            except (EOFError, OSError):
                _leave()
            if isinstance(message, Stop):
                self._stops[message.token] = message.reason
            elif isinstance(message, Drop):
                self._drops[message.token] = message.seeds
            else:
                self._inbox.put(message)


def serve(line: Line, runner: Runner, stores: Stores, settings: Settings) -> None:
    """Run attempts until one breaks the engine."""
    usable = True
    while usable:
        match line.next():
            case Run() as run:
                ended = Attempt(run, stores, settings, line).do(runner)
                line.forget(ended.token)
                line.say(Remembers(runner.memory(), runner.device_memory()))
                line.say(ended)
                usable = not ended.fatal
            case ProveYourself():
                usable = proves_itself(runner, settings)
                line.say(Proved(usable))
            case Forget(source_ids):
                runner.forget(source_ids)
                line.say(Remembers(runner.memory(), runner.device_memory()))


def proves_itself(runner: Runner, settings: Settings) -> bool:
    """Whether the canary passes."""
    try:
        runner.canary()
    except Exception as error:
        log.error("canary failed", error=where(error, settings.log_prompts))
        return False
    return True


def _become_an_engine() -> None:
    """A process group to be killed as one, deaf to polite signals: the supervisor decides."""
    os.setpgid(0, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    faulthandler.enable()
    if sys.platform == "linux":
        # The pipe's end is heard by a thread, which a model that holds the GIL would keep waiting.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        supervisor = parent_process()
        if supervisor is None or os.getppid() != supervisor.pid:
            _leave()


def _leave() -> NoReturn:
    os._exit(0)
