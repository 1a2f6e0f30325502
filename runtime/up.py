"""A whole stack on this machine: Valkey, gateway, workers and background as child processes."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from pydantic import SecretStr

from runtime.settings import Settings, environment
from runtime.valkey import embedded_valkey, free_port

POLL_SECONDS = 0.25


class StackFailed(RuntimeError):
    """A process of the stack ended, or was not ready in time; the message carries the end of its log."""


@dataclass(frozen=True)
class Part:
    """One process of the stack, with all it says in `log`."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def check(self) -> None:
        """Raises StackFailed if it has ended."""
        if self.process.poll() is not None:
            tail = self.log.read_text(errors="replace")[-2000:]
            raise StackFailed(
                f"{self.name} ended with {self.process.returncode}; {self.log} ends with:\n{tail}"
            )

    def end(self, seconds: float) -> None:
        """Wait for what SIGTERM began; what is left of its process group after `seconds` is killed."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@dataclass(frozen=True)
class Stack:
    """A running stack and the settings all its processes share."""

    folder: Path
    settings: Settings
    parts: list[Part] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Of the API."""
        return self.settings.public_url

    @property
    def admin_url(self) -> str | None:
        """Of the operators' port, None where there is none."""
        here = self.settings
        return f"http://{here.admin_host}:{here.admin_port}" if here.serves_operators else None

    def check(self) -> None:
        """Raises StackFailed if any process has ended."""
        for part in self.parts:
            part.check()

    def start_workers(self, count: int) -> None:
        """So many more; they take a while to load."""
        there = sum(part.name.startswith("worker-") for part in self.parts)
        self.parts.extend(
            _start(f"worker-{number}", "workers", self) for number in range(there + 1, there + count + 1)
        )

    def start_studio(self, key: str) -> str:
        """Its address, once it answers; everybody who opens it works by this key. Raises StackFailed."""
        settings = self.settings
        port = settings.studio_port or free_port()
        told = {"ADDIT_URL": self.url, "ADDIT_KEY": key, "ADDIT_STUDIO_PORT": str(port)}
        told |= {"ADDIT_ADMIN_URL": self.admin_url} if self.admin_url else {}
        self.parts.append(_start("studio", "studio", self, told))
        address = f"http://{settings.studio_host}:{port}"
        deadline = time.monotonic() + settings.load_seconds
        while not _answers(address):
            self.check()
            if time.monotonic() > deadline:
                raise StackFailed(f"the studio does not answer; see {self.folder}/logs/studio.log")
            time.sleep(POLL_SECONDS)
        return address

    def wait_until_ready(self) -> None:
        """Until a worker has proved that it can serve. Raises StackFailed."""
        deadline = time.monotonic() + self.settings.load_seconds
        while not _answers(f"{self.url}/readyz"):
            self.check()
            if time.monotonic() > deadline:
                raise StackFailed(
                    f"not ready after {self.settings.load_seconds:.0f} s; see {self.folder}/logs"
                )
            time.sleep(POLL_SECONDS)


@contextmanager
def local_stack(folder: Path, settings: Settings, workers: int = 1) -> Iterator[Stack]:
    """Run the stack while the context lasts; it may not be ready yet.

    folder: keeps data, logs and secrets; a later stack on it goes on where this one ended
    settings: stores and secrets are replaced; port 0 takes a free one, and another for operators; threads 0 a
        fair share of the cores
    """
    folder = folder.resolve()
    with embedded_valkey(folder / "valkey") as valkey:
        stack = Stack(folder, _local(settings, folder, valkey.url, workers))
        try:
            for name, module in _programs(workers):
                stack.parts.append(_start(name, module, stack))
            yield stack
        finally:
            _stop(stack)


def _programs(workers: int) -> list[tuple[str, str]]:
    several = [(f"worker-{number}", "workers") for number in range(1, workers + 1)]
    return [("gateway", "service"), ("background", "workers.background"), *several]


def _local(settings: Settings, folder: Path, redis_url: str, workers: int) -> Settings:
    port = settings.port or free_port()
    cores = os.cpu_count() or 1
    return settings.model_copy(
        update={
            "redis_url": redis_url,
            "threads": settings.threads or max(1, cores // workers),
            "artifact_url": f"file://{folder}/artifacts",
            "port": port,
            "admin_port": settings.admin_port if settings.port else free_port(),
            "public_url": settings.public_url or f"http://{settings.host}:{port}",
            **_kept_secrets(folder / "secrets.json"),
        }
    )


def _kept_secrets(file: Path) -> dict[str, SecretStr]:
    """Made once per folder, so that links and signatures stay valid over restarts."""
    if not file.exists():
        webhook = f"whsec_{b64encode(secrets.token_bytes(24)).decode()}"
        file.touch(mode=0o600)
        file.write_text(json.dumps({"signing_secret": secrets.token_hex(32), "webhook_secret": webhook}))
    return {name: SecretStr(value) for name, value in json.loads(file.read_text()).items()}


def _start(name: str, module: str, stack: Stack, told: Mapping[str, str] | None = None) -> Part:
    log = stack.folder / "logs" / f"{name}.log"
    log.parent.mkdir(exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(  # nosec B603 # a module of ours, no shell
            [sys.executable, "-m", module],
            env=environment(stack.settings) | dict(told or {}),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C reaches us alone, and we end them in order
        )
    return Part(name, process, log)


def _stop(stack: Stack) -> None:
    """SIGTERM to all at once; Valkey, which they need to say goodbye, goes after them."""
    for part in stack.parts:
        part.process.terminate()
    deadline = time.monotonic() + stack.settings.grace_seconds + 5
    for part in stack.parts:
        part.end(max(0.1, deadline - time.monotonic()))


def _answers(url: str) -> bool:
    with suppress(httpx.TransportError):
        return httpx.get(url, timeout=5, trust_env=False).status_code == 200
    return False
