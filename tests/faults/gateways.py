"""A gateway as a process of its own, whose memory, files and end can be seen."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psutil

from runtime.settings import Settings, environment
from tests.workers.fleet import ROOT, until


class GatewayProcess:
    """`python -m service`, started again on the same port as often as wanted."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings, self.url = settings, f"http://{settings.host}:{settings.port}"
        self._log = folder / "gateway.log"
        self._start()

    def kill(self) -> None:
        """As kill -9 does."""
        self._process.kill()
        self._process.wait()

    def restart(self) -> None:
        """SIGTERM, and a new one."""
        self.stop()
        self._start()

    def stop(self) -> None:
        """SIGTERM."""
        self._process.terminate()
        self._process.wait(30)

    def start_again(self) -> None:
        """After `kill`."""
        self._start()

    def wait(self) -> None:
        """Until it has ended."""
        self._process.wait(30)

    @property
    def pid(self) -> int:
        """Of the process that was started."""
        return self._process.pid

    @property
    def rss(self) -> int:
        """Bytes of memory."""
        return int(self._ps.memory_info().rss)

    @property
    def written(self) -> int:
        """Bytes written to files so far."""
        return int(self._ps.io_counters().write_chars)

    @property
    def connections(self) -> int:
        """Clients that are connected."""
        open_now = self._ps.net_connections("tcp")
        mine = self.settings.port
        return sum(one.status == psutil.CONN_ESTABLISHED and one.laddr.port == mine for one in open_now)

    def _start(self) -> None:
        with self._log.open("ab") as log:
            command = [sys.executable, "-m", "service"]
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=environment(self.settings), stdout=log, stderr=log
            )
        self._ps = psutil.Process(self._process.pid)
        until(self._alive, 60)

    def _alive(self) -> bool:
        assert self._process.poll() is None, self._log.read_text()
        with suppress(httpx.TransportError):
            return httpx.get(f"{self.url}/livez").status_code == 200
        return False


@contextmanager
def gateway_of(settings: Settings, folder: Path) -> Iterator[GatewayProcess]:
    """One while the context lasts."""
    gateway = GatewayProcess(settings, folder)
    try:
        yield gateway
    finally:
        gateway.kill()
