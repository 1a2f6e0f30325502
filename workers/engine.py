"""The engine: a process that holds one model for its whole life and runs one attempt after the other, or some
in turns, while a thread stores the pictures of the last.

It knows no queue. The main thread runs the model; a small thread reads the pipe, so a stop is heard while the
model works and the end of the supervisor is the end of the engine. Where a model holds the GIL, or the
process is stopped, the kernel sees to that (`workers.bound`).
"""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import traceback
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from importlib import import_module
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Condition, Lock, Thread
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
from workers.attempt import Attempt, Made, Stores
from workers.failures import where
from workers.messages import (
    Beat,
    Drop,
    Forget,
    FromEngine,
    Lap,
    Left,
    Proved,
    ProveYourself,
    Ready,
    Remembers,
    Room,
    Run,
    Stop,
    StopReason,
    ToEngine,
)
from workers.runner import Runner, Work

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
        self._pipe, self._speaking = pipe, Lock()
        self._inbox, self._arrived = deque[Run | ProveYourself | Forget](), Condition()
        self._stops: dict[str, StopReason] = {}
        self._drops: dict[str, frozenset[int]] = {}
        Thread(target=self._read, name="pipe", daemon=True).start()

    def next(self) -> Run | ProveYourself | Forget:
        """Wait for something to do."""
        with self._arrived:
            self._arrived.wait_for(lambda: self._inbox)
            return self._inbox.popleft()

    def joining(self) -> list[Run]:
        """Those that came for a seat beside the one that runs."""
        found = list[Run]()
        with self._arrived:
            while self._inbox and isinstance(run := self._inbox[0], Run) and run.seat == "beside":
                self._inbox.popleft()
                found.append(run)
        return found

    def say(self, message: FromEngine) -> None:
        """Any thread may. Without a supervisor there is nothing left to do: the process ends."""
        try:
            with self._speaking:
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

    def room(self, token: str, rows: int) -> None:
        """Tell the supervisor what may join the attempt."""
        self.say(Room(token, rows))

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
                with self._arrived:
                    self._inbox.append(message)
                    self._arrived.notify()


class Storeroom:
    """Ends attempts that have left the model, one after the other, while it does others."""

    def __init__(self, line: Line) -> None:
        self._line, self._left = line, SimpleQueue[tuple[Attempt, Made]]()
        Thread(target=self._work, name="storeroom", daemon=True).start()

    def take(self, attempt: Attempt, made: Made) -> None:
        """End it as soon as those before it are."""
        self._left.put((attempt, made))

    def _work(self) -> None:
        try:
            while True:
                self._end(*self._left.get())
        except BaseException:  # as in the main thread: it takes the process along
            traceback.print_exc()
            os._exit(1)

    def _end(self, attempt: Attempt, made: Made) -> None:
        ended = attempt.end(made)
        self._line.forget(ended.token)
        self._line.say(ended)


class Attempts:
    """Where attempts have the model: one at a time, or in turns with those that join it."""

    def __init__(self, line: Line, stores: Stores, settings: Settings) -> None:
        self._line, self._stores, self._settings = line, stores, settings
        self._storeroom = Storeroom(line)
        self._reader = ThreadPoolExecutor(1, "reader")
        self._coming = deque[tuple[Attempt, Future[None]]]()

    def do(self, run: Run, runner: Runner) -> None:
        """All that needs the model, of this run and of those that join."""
        attempt = self._attempt(run)
        if run.seat == "alone" or runner.sharing is None:
            self._do(attempt, runner)
            return
        runner.sharing.run(partial(self._do, attempt), self._joining)
        while self._coming:  # it was not there before the others had left
            attempt, read = self._coming.popleft()
            read.result()
            runner.sharing.run(partial(self._do, attempt), self._joining)

    def _joining(self) -> Sequence[Work]:
        """Those whose pictures have been read, which holds nobody up."""
        for run in self._line.joining():
            attempt = self._attempt(run)
            self._coming.append((attempt, self._reader.submit(attempt.fetch)))
        found = list[Work]()
        while self._coming and self._coming[0][1].done():
            attempt, read = self._coming.popleft()
            read.result()
            found.append(partial(self._do, attempt))
        return found

    def _attempt(self, run: Run) -> Attempt:
        return Attempt(run, self._stores, self._settings, self._line)

    def _do(self, attempt: Attempt, runner: Runner) -> None:
        made = attempt.run(runner)
        self._line.say(Remembers(runner.memory(), runner.device_memory()))
        if not isinstance(made, Exception):  # what failed may have broken the model
            self._line.say(Left(attempt.token))
        self._storeroom.take(attempt, made)


def serve(line: Line, runner: Runner, stores: Stores, settings: Settings) -> None:
    """Do what is asked until the canary fails. Whom an attempt broke is ended by the supervisor."""
    attempts, usable = Attempts(line, stores, settings), True
    while usable:
        match line.next():
            case Run() as run:
                attempts.do(run, runner)
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


def _leave() -> NoReturn:
    os._exit(0)
