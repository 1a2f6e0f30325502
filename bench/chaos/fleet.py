"""The processes under an orchestrator that starts again what has ended, each on a cable of its own."""

from __future__ import annotations

import asyncio
import os
import secrets
import subprocess
import sys
from base64 import b64encode
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGTERM, Signals

import httpx
import psutil
from pydantic import SecretStr

from bench.chaos.proxy import Cable
from bench.known_engine import CARD
from runtime.settings import Settings, environment
from runtime.valkey import EmbeddedValkey, embedded_valkey, free_port

ROOT = Path(__file__).parents[2]
PROGRAMS = {
    "gateway": "service",
    "background": "workers.background",
    "worker-1": "workers",
    "worker-2": "workers",
}
RESTART_SECONDS = 1.0
"""From the end of a process until the orchestrator has started another."""
POLL_SECONDS = 0.05
READY_SECONDS = 60.0
LEASE_SECONDS = 3.0


def chaos_settings(folder: Path) -> Settings:
    """Those of production but for times: a lease is a tenth of the default, other waits in proportion."""
    return Settings(
        artifact_url=f"file://{folder}/artifacts",
        signing_secret=SecretStr(secrets.token_hex(32)),
        webhook_secret=SecretStr(f"whsec_{b64encode(secrets.token_bytes(24)).decode()}"),
        port=free_port(),
        runner="bench.known_engine:load",
        model=CARD.name,
        lease_seconds=LEASE_SECONDS,
        beat_seconds=0.5,
        step_seconds=LEASE_SECONDS,
        reconcile_seconds=0.5,
        grace_seconds=5,
        webhook_schedule=(0, 0.5, 1, 1, 2, 2, *[3.0] * 20),
        webhook_timeout_seconds=2,
        allow_loopback_egress=True,
    )


@dataclass
class Part:
    """One process, whichever it is now."""

    name: str
    settings: Settings
    log: Path
    process: subprocess.Popen[bytes] = field(init=False)
    starts: int = 0

    def start(self) -> None:
        """A fresh process."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", PROGRAMS[self.name]],
                cwd=ROOT,
                env=environment(self.settings),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.starts += 1

    def engine_pid(self) -> int | None:
        """Of a worker: the process that holds the model, if there is one now."""
        with suppress(psutil.Error):
            for child in psutil.Process(self.process.pid).children():
                if any("spawn_main" in word for word in child.cmdline()):
                    return child.pid
        return None

    def signal(self, number: Signals) -> None:
        """To the process alone; nothing happens to one that has ended."""
        if self.process.poll() is None:
            self.process.send_signal(number)

    def signal_engine(self, number: Signals) -> None:
        """To a worker's engine, if there is one."""
        pid = self.engine_pid()
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def end(self) -> None:
        """Kill what is left of it."""
        for number in (SIGCONT, SIGKILL):
            self.signal(number)
        self.process.wait()


@dataclass
class Fleet:
    """The store, all parts, and the cable between it and each of them. repairs: held while one suffers."""

    folder: Path
    settings: Settings
    valkey: EmbeddedValkey
    parts: dict[str, Part] = field(default_factory=dict)
    cables: dict[str, Cable] = field(default_factory=dict)
    repairs: dict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))

    @property
    def url(self) -> str:
        """Of the gateway."""
        return f"http://127.0.0.1:{self.settings.port}"

    async def until_ready(self) -> None:
        """Until a worker has proved itself. Raises `TimeoutError`."""
        async with asyncio.timeout(READY_SECONDS), httpx.AsyncClient(trust_env=False) as http:
            while True:
                with suppress(httpx.TransportError):
                    if (await http.get(f"{self.url}/readyz")).status_code == 200:
                        return
                await asyncio.sleep(POLL_SECONDS)

    async def orchestrate(self) -> None:
        """Start again whatever ends, until cancelled."""
        while True:
            for part in self.parts.values():
                if part.process.poll() is not None:
                    await asyncio.sleep(RESTART_SECONDS)
                    part.start()
            await asyncio.sleep(POLL_SECONDS)

    async def stop(self) -> None:
        """SIGTERM to all, as before an upgrade; who does not go is killed."""
        for part in self.parts.values():
            part.signal(SIGTERM)
        ending = (
            asyncio.to_thread(part.process.wait, self.settings.grace_seconds + 5)
            for part in self.parts.values()
        )
        await asyncio.gather(*ending, return_exceptions=True)


@asynccontextmanager
async def fleet_of(folder: Path) -> AsyncIterator[Fleet]:
    """All processes, started; they end with the context."""
    settings = chaos_settings(folder)
    with embedded_valkey(folder / "valkey") as valkey:
        fleet = Fleet(folder, settings, valkey)
        try:
            for name in PROGRAMS:
                cable = fleet.cables[name] = Cable(valkey.port)
                redis_url = f"redis://127.0.0.1:{await cable.lay()}/0"
                own = settings.model_copy(update={"redis_url": redis_url})
                fleet.parts[name] = Part(name, own, folder / f"{name}.log")
                fleet.parts[name].start()
            yield fleet
        finally:
            for part in fleet.parts.values():
                part.end()
            for cable in fleet.cables.values():
                cable.remove()
