"""What the store knows of the time to come: the work before a job, and how fast work was done lately."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from redis import Redis

from api_schemas.insertions import Priority
from job_store.jobs import HEAD_START_MS
from job_store.keys import Key
from job_store.records import JobRecord
from job_store.server import Server

REMEMBERED = 64
"""Jobs of a shape whose pace is kept."""
ANY_SHAPE = "any"


@dataclass(frozen=True)
class Load:
    """Work, in forwards, of so many jobs of a shape that start before another or run; mine: of its tenant."""

    work: float
    shape: str
    mine: bool
    jobs: float


@dataclass(frozen=True)
class Ahead:
    """What a job stands behind, were no more to come, and what its time is told from.

    count: jobs that start before it, by the shares of all tenants that wait
    running: jobs of its model that run
    own: its own work; 0 of a new job
    cap, mine_running: jobs of its tenant that may run at a time, and that do, of all models
    serving: workers of its model that take jobs; paused: nothing of it starts
    shape: its own, empty if unknown; paces: by shape, as `Outlook.paces` gives them
    loads: of those before it, and what is left of those that run
    """

    count: int
    running: int
    cap: int
    mine_running: int
    own: float
    serving: int
    paused: bool
    shape: str
    paces: Mapping[str, list[float]]
    loads: tuple[Load, ...]


class Outlook:
    """Safe to share between threads. Any call may raise StoreUnavailable."""

    def __init__(self, redis: Redis) -> None:
        self._server = Server(redis)

    def note(self, model: str, shape: str, forwards: float, seconds: float) -> None:
        """A job of this shape and so many forwards took a worker so long, storing its pictures included."""
        if forwards <= 0:
            return
        for name in (shape, ANY_SHAPE):
            key = f"{Key.PACE}{model}:{name}"
            self._server.command("LPUSH", key, f"{seconds / forwards:.6g}")
            self._server.command("LTRIM", key, 0, REMEMBERED - 1)

    def paces(self, model: str, shape: str | None) -> list[float]:
        """Seconds a forward took in the latest jobs of this shape, or of any where there was none."""
        found = self._latest(model, shape) if shape else []
        return found or self._latest(model, ANY_SHAPE)

    def remembered(self, source_id: str) -> bool:
        """Whether a worker ran this source lately and was not told to forget it."""
        return bool(self._server.command("EXISTS", Key.HOLDER + source_id))

    def ahead(self, model: str, tenant: str, priority: Priority, shape: str | None = None) -> Ahead:
        """What a new job of this tenant, priority and shape would stand behind."""
        told = self._server.run("ahead", model, tenant, "", HEAD_START_MS[priority], shape or "")
        return _decode(told, shape or "")

    def ahead_of(self, record: JobRecord) -> Ahead:
        """What a queued job stands behind."""
        shape = record.shape or ""
        return _decode(self._server.run("ahead", record.model, record.tenant, record.id, 0, shape), shape)

    def waiting(self, model: str) -> tuple[int, list[tuple[float, str]]]:
        """How many jobs of a model wait; (forwards, shape) of up to 64, evenly from first to last."""
        number, *sample = self._server.run("waiting", model)
        return int(number), [(float(work), shape.decode()) for work, shape in sample]

    def _latest(self, model: str, shape: str) -> list[float]:
        return _floats(self._server.command("LRANGE", f"{Key.PACE}{model}:{shape}", 0, -1))


def _decode(told: list[Any], own_shape: str) -> Ahead:
    count, running, cap, mine_running, own, serving, paused, paces, *loads = told
    by_shape = {shape.decode(): _floats(found) for shape, found in paces}
    found = (Load(float(work), shape.decode(), bool(mine), float(jobs)) for work, shape, mine, jobs in loads)
    return Ahead(
        count,
        running,
        cap,
        mine_running,
        float(own),
        serving,
        bool(paused),
        own_shape,
        by_shape,
        tuple(found),
    )


def _floats(told: list[bytes]) -> list[float]:
    return [float(number) for number in told]


def shape_of(width: int, height: int, max_pixels: int) -> str:
    """The same for pictures that take about as long: their area as worked on, to the nearest power of two."""
    return str(round(math.log2(max(1, min(width * height, max_pixels)))))
