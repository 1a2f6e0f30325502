"""The supervisor's side of its engine: a spawned child in a process group of its own, and the pipe to it."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from multiprocessing import connection, get_context

from job_store.footprint import DeviceMemory
from job_store.memory_use import MemoryUse
from runtime.settings import Settings
from workers import engine
from workers.messages import FromEngine, Ready, Remembers, ToEngine

# Not fork: CUDA does not survive it. The child starts from a fresh interpreter.
_spawning = get_context("spawn")


class EngineGone(Exception):
    """The engine's process has ended, or was ended."""

    def __init__(self, exit_code: int | None) -> None:
        super().__init__(f"engine exited with {exit_code}")
        self.exit_code = exit_code


class EngineProcess:
    """One engine. Create it in the main thread: it is bound to die with the thread that started it."""

    def __init__(self, settings: Settings) -> None:
        self._pipe, theirs = _spawning.Pipe()
        self._process = _spawning.Process(target=engine.main, args=(settings, theirs), name="engine")
        self._process.start()
        self.memory = MemoryUse()  # as it said last
        self.device: DeviceMemory | None = None  # the same
        theirs.close()  # ours is then the only other end, so each side sees the other's death as end of file

    @property
    def pid(self) -> int:
        """Of the child, which is also its process group."""
        assert self._process.pid is not None
        return self._process.pid

    def send(self, message: ToEngine) -> None:
        """Raises EngineGone."""
        try:
            self._pipe.send(message)
        except OSError:
            raise self._gone() from None

    def receive(self, seconds: float) -> FromEngine | None:
        """The next message, None if there is none within `seconds`. Raises EngineGone."""
        try:
            if not connection.wait([self._pipe], timeout=max(0.0, seconds)):
                return None
            message: FromEngine = self._pipe.recv()
        except (EOFError, OSError):
            raise self._gone() from None
        if isinstance(message, Ready | Remembers):
            self.memory, self.device = message.memory, message.device
        return message

    def kill(self) -> int | None:
        """End the whole process group now; the exit code. A second call does nothing."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.kill()  # it may not have got as far as having its group
        self._process.join()
        self._pipe.close()
        return self._process.exitcode

    def _gone(self) -> EngineGone:
        """A closed pipe is as good as dead: nothing can be asked of such an engine."""
        if self._pipe.closed:
            return EngineGone(self._process.exitcode)
        self._process.join(1)
        return EngineGone(self.kill())
