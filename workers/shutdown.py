"""Being asked to stop: SIGTERM or SIGINT, once for politely, again for now."""

from __future__ import annotations

import os
import select
import signal
import time
from types import FrameType

SAME_SECONDS = 1.0  # a terminal and a parent process both pass Ctrl-C on: that is one request


class Shutdown:
    """Whether and how urgently this process was asked to stop. Nothing is raised in mid-work."""

    def __init__(self) -> None:
        self._first: float | None = None
        self._again = False
        self._bell, self._button = os.pipe()

    def listen(self) -> None:
        """Take over SIGTERM and SIGINT; only the main thread may."""
        signal.signal(signal.SIGTERM, self._note)
        signal.signal(signal.SIGINT, self._note)

    def ignore(self) -> None:
        """Further requests come too late to matter: the process is ending."""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    @property
    def asked(self) -> bool:
        """Whether to stop taking work."""
        return self._first is not None

    def is_due(self, grace_seconds: float) -> bool:
        """Whether to stop even the work in hand."""
        return self._first is not None and (self._again or time.monotonic() > self._first + grace_seconds)

    def wait(self, seconds: float) -> None:
        """Sleep, but not longer than until asked to stop. Any thread may."""
        select.select([self._bell], [], [], seconds)

    def _note(self, _signal: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        if self._first is None:
            self._first = now
            os.write(self._button, b"!")
        elif now > self._first + SAME_SECONDS:
            self._again = True
