"""What the store knows of the time to come: the work before a new job, and how fast work was done lately."""

from __future__ import annotations

import math
from dataclasses import dataclass

from redis import Redis

from api_schemas.insertions import Priority
from api_schemas.jobs import Cost
from job_store.jobs import HEAD_START_MS
from job_store.keys import Key
from job_store.records import JobRecord, decode
from job_store.server import Server

REMEMBERED = 64
"""Jobs of a shape whose pace is kept."""
LOOKED_AT = 200
"""Records read of a line, and of those that run."""


@dataclass(frozen=True)
class Ahead:
    """Jobs before one that comes now: the `first` of the `count` that wait, and those that run."""

    first: tuple[JobRecord, ...]
    count: int
    running: tuple[JobRecord, ...]


class Outlook:
    """Safe to share between threads. Any call may raise StoreUnavailable."""

    def __init__(self, redis: Redis) -> None:
        self._server = Server(redis)

    def note(self, model: str, shape: str, cost: Cost) -> None:
        """A job of this shape was done at this cost."""
        if cost.forwards <= 0:
            return
        key = f"{Key.PACE}{model}:{shape}"
        self._server.command("LPUSH", key, f"{cost.gpu_seconds / cost.forwards:.6g}")
        self._server.command("LTRIM", key, 0, REMEMBERED - 1)

    def paces(self, model: str, shape: str) -> list[float]:
        """Seconds a forward took in the latest jobs of this shape; empty where there was none."""
        found = self._server.command("LRANGE", f"{Key.PACE}{model}:{shape}", 0, -1)
        return [float(pace) for pace in found]

    def ahead(self, model: str, priority: Priority) -> Ahead:
        """What a new job of this priority would stand behind."""
        seconds, microseconds = self._server.command("TIME")
        place = int(seconds) * 10**6 + int(microseconds) + HEAD_START_MS[priority] * 1000
        line = Key.READY + model
        first = self._server.command("ZRANGEBYSCORE", line, "-inf", place, "LIMIT", 0, LOOKED_AT)
        leased = self._server.command("ZRANGE", Key.LEASES, 0, LOOKED_AT - 1)
        running = (record for record in self._read(leased) if record.status == "running")
        return Ahead(
            first=self._read(first),
            count=int(self._server.command("ZCOUNT", line, "-inf", place)),
            running=tuple(record for record in running if record.model == model),
        )

    def _read(self, ids: list[bytes]) -> tuple[JobRecord, ...]:
        names = [job_id.decode() for job_id in ids]
        flats = self._server.run("read", *names)
        return tuple(decode(job_id, flat) for job_id, flat in zip(names, flats, strict=True) if flat)


def shape_of(width: int, height: int, max_pixels: int) -> str:
    """The same for pictures that take about as long: their area as worked on, to the nearest power of two."""
    return str(round(math.log2(max(1, min(width * height, max_pixels)))))
