"""The gateway as one process, or as several that accept from the same sockets: one that is busy leaves new
connections to the others, and one that dies loses only its own requests."""

from __future__ import annotations

import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Sequence
from multiprocessing import connection, get_context, parent_process
from multiprocessing.context import SpawnProcess
from threading import Thread

import structlog

from runtime import logs, telemetry
from runtime.settings import Settings, share_request_counts
from service.server import GRACE_SECONDS, addresses_of, bound, build_server

LOOK_SECONDS = 0.2
"""Between two looks at signals."""
log = structlog.get_logger("service")


def serve(settings: Settings, sockets: Sequence[socket.socket] = ()) -> None:
    """In this process, until told to stop. sockets: to accept from; without any it listens by itself."""
    logs.configure(settings, "gateway")
    telemetry.configure(settings, "gateway")
    build_server(settings, sockets).run([*sockets])


def serve_by_several(settings: Settings) -> None:
    """By `gateway_processes` children until SIGTERM or SIGINT. One that was killed is started again; one that
    gave up had a reason that another would have as well: all end, with its exit code.

    Exits with a message where an address is taken.
    """
    logs.configure(settings, "gateway")
    told = list[int]()  # signals; an Event could be locked just when its handler runs
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, frame: told.append(number))
    sockets = [bound(address) for address in addresses_of(settings)]
    with tempfile.TemporaryDirectory(prefix="addit-requests-") as folder:
        share_request_counts(folder)
        children = [_start(settings, sockets) for _ in range(settings.gateway_processes)]
        while not (told or any((child.exitcode or 0) > 0 for child in children)):
            connection.wait([child.sentinel for child in children], LOOK_SECONDS)
            children = [_living(child, settings, sockets) for child in children]
        _end(children)
    sys.exit(0 if told else max(child.exitcode or 0 for child in children))


def _start(settings: Settings, sockets: Sequence[socket.socket]) -> SpawnProcess:
    child = get_context("spawn").Process(target=_child, args=(settings, sockets), name="gateway")
    child.start()
    return child


def _living(child: SpawnProcess, settings: Settings, sockets: Sequence[socket.socket]) -> SpawnProcess:
    """The child, or another in the place of one that was killed."""
    if child.is_alive() or (child.exitcode or 0) > 0:
        return child
    log.error("gateway process died", pid=child.pid, exit_code=child.exitcode)
    return _start(settings, sockets)


def _end(children: Sequence[SpawnProcess]) -> None:
    """SIGTERM, and SIGKILL for those that still have requests in hand long after."""
    for child in children:
        child.terminate()
    deadline = time.monotonic() + GRACE_SECONDS + 5
    for child in children:
        child.join(max(0.0, deadline - time.monotonic()))
        child.kill()


def _child(settings: Settings, sockets: Sequence[socket.socket]) -> None:
    Thread(target=_follow_parent, daemon=True).start()
    serve(settings, sockets)


def _follow_parent() -> None:
    """Nobody is left to end this process when its parent was killed: it stops as it would for SIGTERM."""
    parent = parent_process()
    assert parent is not None, "it was started by one"
    connection.wait([parent.sentinel])
    os.kill(os.getpid(), signal.SIGTERM)
