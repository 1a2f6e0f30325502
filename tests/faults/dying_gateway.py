"""A gateway that is killed at one line: a job is stored, its key claimed, its ticket not yet issued."""

from __future__ import annotations

import os
import signal

from redis import Redis

from job_store import tickets
from runtime.settings import Settings
from service.server import build_server


def die(redis: Redis, model: str) -> None:
    """As when the machine loses its power."""
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    tickets.issue = die
    build_server(Settings()).run()
