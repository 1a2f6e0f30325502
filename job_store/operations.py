"""What operators do to queues, workers and jobs. Every act is noted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from redis import Redis

from job_store.errors import NotFound
from job_store.keys import Key
from job_store.records import moment
from job_store.server import Server

MOST_ACTS = 10_000
"""Kept, the latest."""


@dataclass(frozen=True)
class Act:
    """What was done, to which model, worker, job or tenant."""

    at: datetime
    what: str
    to: str


class Operations:
    """All acts may be repeated. Any call may raise StoreUnavailable."""

    def __init__(self, redis: Redis) -> None:
        self._server = Server(redis)

    def pause(self, model: str) -> None:
        """Start nothing of a model; what runs goes on, submissions are taken."""
        self._server.command("SADD", Key.PAUSED, model)
        self.note("pause", model)

    def resume(self, model: str) -> None:
        """Start its jobs again."""
        self._server.command("SREM", Key.PAUSED, model)
        self.note("resume", model)

    def paused(self) -> frozenset[str]:
        """The models that stand still."""
        return self._names(Key.PAUSED)

    def drain(self, worker: str) -> None:
        """Let a worker end its job and take no other. Raises NotFound for one that is not there."""
        if not self._server.command("EXISTS", Key.WORKER + worker):
            raise NotFound(worker)
        self._server.command("SADD", Key.DRAINED, worker)
        self.note("drain", worker)

    def undrain(self, worker: str) -> None:
        """Let it take jobs again. Raises NotFound for one that is not there."""
        if not self._server.command("EXISTS", Key.WORKER + worker):
            raise NotFound(worker)
        self._server.command("SREM", Key.DRAINED, worker)
        self.note("undrain", worker)

    def drained(self) -> frozenset[str]:
        """The workers that take no jobs."""
        return self._names(Key.DRAINED)

    def move_to_front(self, job_id: str) -> None:
        """Make a queued job the next of its model, whatever the shares. Raises NotFound, WrongState."""
        self._server.run("move_to_front", job_id)
        self.note("move_to_front", job_id)

    def dead(self, limit: int) -> list[str]:
        """Jobs that failed as their workers crashed over them, the latest first."""
        found = self._server.command("ZRANGE", Key.DEAD, 0, limit - 1, "REV")
        return [job_id.decode() for job_id in found]

    def replayed(self, job_id: str) -> None:
        """A dead job was submitted again: it is no longer one to be looked after."""
        self._server.command("ZREM", Key.DEAD, job_id)
        self.note("replay", job_id)

    def note(self, what: str, to: str) -> None:
        """An operator did something."""
        self._server.command("XADD", Key.ACTS, "MAXLEN", "~", MOST_ACTS, "*", "what", what, "to", to)

    def acts(self, limit: int) -> list[Act]:
        """What operators did, the latest first."""
        entries = self._server.command("XREVRANGE", Key.ACTS, "+", "-", "COUNT", limit)
        return [
            Act(moment(entry.split(b"-")[0]), fields[b"what"].decode(), fields[b"to"].decode())
            for entry, fields in entries
        ]

    def _names(self, key: Key) -> frozenset[str]:
        return frozenset(name.decode() for name in self._server.command("SMEMBERS", key))
