"""Locust's clients (locustfile.py) against the stack: whole journeys of whole clients, closed loops each."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from bench.gateway.caller import Caller
from bench.gateway.outcome import Outcome
from bench.histogram import Histogram
from bench.stack import until_so

FILE = Path(__file__).with_name("locustfile.py")
USERS = 12


async def clients(caller: Caller, seconds: float, users: int = USERS) -> list[Outcome]:
    """A row for each kind of journey. Raises `RuntimeError` if Locust itself failed."""
    bed = caller.bed
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "locust", "-f", str(FILE), "--headless", "--host", bed.stack.url,
        "--keys", ",".join(bed.keys), "-u", str(users), "-r", str(users), "-t", f"{seconds:g}s",
        "--stop-timeout", "30", "--json", "--skip-log", cwd=FILE.parents[2],
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    told, errors = await process.communicate()
    if process.returncode not in (0, 1):  # 1: some requests failed, which the rows tell
        raise RuntimeError(errors.decode()[-2000:])
    await until_so(bed.at_rest, 120)
    return outcomes(json.loads(told))


def outcomes(stats: list[dict[str, Any]]) -> list[Outcome]:
    """Of Locust's JSON: whole journeys first, then the calls that they are made of."""
    ordered = sorted(stats, key=lambda one: (one["method"] != "JOURNEY", one["name"]))
    return [
        Outcome(f"{one['method'].lower()}: {one['name']}", 0, _times(one), one["num_failures"])
        for one in ordered
    ]


def _times(one: dict[str, Any]) -> Histogram:
    """Locust keeps two significant digits of milliseconds."""
    histogram = Histogram()
    for milliseconds, count in one["response_times"].items():
        for _ in range(count):
            histogram.record(float(milliseconds) / 1000)
    return histogram
