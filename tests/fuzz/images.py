"""Mutated pictures into a real gateway, and what came back."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from runtime.settings import Settings, environment
from tests.fuzz.mutations import mutated, seeds

ROOT = Path(__file__).parents[2]
MEGABYTE = 2**20
START_SECONDS = 60.0


@dataclass
class Tally:
    """answers: by status and code; peaks: bytes of memory; worst: inputs that were answered with 5xx."""

    answers: Counter[str] = field(default_factory=Counter)
    decoder_peak: int = 0
    gateway_peak: int = 0
    decoders: set[int] = field(default_factory=set)
    slowest_seconds: float = 0.0
    worst: list[bytes] = field(default_factory=list)

    @property
    def tried(self) -> int:
        """Inputs."""
        return self.answers.total()

    def of_hundred(self, hundreds: int) -> int:
        """Answers with such a status, as in 4xx."""
        return sum(count for answer, count in self.answers.items() if answer.startswith(str(hundreds)))


@contextmanager
def gateway(settings: Settings, log: Path) -> Iterator[psutil.Process]:
    """`python -m service`, answering."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "service"],
            cwd=ROOT,
            env=environment(settings),
            stdout=output,
            stderr=output,
        )
    try:
        _await(f"http://127.0.0.1:{settings.port}/livez")
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(30)


def _await(url: str) -> None:
    ends_at = time.monotonic() + START_SECONDS
    while True:
        try:
            httpx.get(url).raise_for_status()
        except httpx.HTTPError:
            assert time.monotonic() < ends_at, "the gateway did not come up"
            time.sleep(0.05)
        else:
            return


def fuzz(client: httpx.Client, process: psutil.Process, count: int, seed: int) -> Tally:
    """Upload `count` mutated pictures, one after the other."""
    dice, corpus, tally = random.Random(seed), list(seeds().values()), Tally()
    for _ in range(count):
        data = mutated(dice.choice(corpus), dice)
        began = time.monotonic()
        answer = client.post("/v1/images", content=data, headers={"Content-Type": "image/png"})
        tally.slowest_seconds = max(tally.slowest_seconds, time.monotonic() - began)
        code = "taken" if answer.status_code == 201 else answer.json()["code"]
        tally.answers[f"{answer.status_code} {code}"] += 1
        if answer.status_code >= 500:
            tally.worst.append(data)
        _weigh(process, tally)
    return tally


def _weigh(process: psutil.Process, tally: Tally) -> None:
    """The most memory that the gateway and its decoders ever had."""
    tally.gateway_peak = max(tally.gateway_peak, peak_bytes(process.pid))
    for child in process.children():
        tally.decoders.add(child.pid)
        tally.decoder_peak = max(tally.decoder_peak, peak_bytes(child.pid))


def peak_bytes(pid: int) -> int:
    """Of a process; 0 if it has just ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), 0)
