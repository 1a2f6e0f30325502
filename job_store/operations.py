"""What operators do to queues, workers, jobs and keys. Every act is noted: by whom, when, what it changed."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from redis import Redis

from api_schemas.keys import Scope
from job_store.api_keys import ApiKey, ApiKeys, id_of
from job_store.errors import NotFound
from job_store.keys import Key
from job_store.purging import Purged, cancel_waiting, purge_tenant
from job_store.records import moment
from job_store.server import Server

MOST_ACTS = 10_000
"""Kept, the latest."""
State = Mapping[str, Any] | None


@dataclass(frozen=True)
class Act:
    """What was done, to which model, worker, job, tenant or key.

    by: whose it was, "" where nobody was told; before, after: what it changed, None where there was nothing
    """

    at: datetime
    what: str
    to: str
    by: str = ""
    before: State = None
    after: State = None


class Operations:
    """The acts of one operator. All but those that make keys may be repeated. Any call may raise
    StoreUnavailable."""

    def __init__(self, redis: Redis, by: str = "") -> None:
        self._redis, self._by = redis, by
        self._server, self._keys = Server(redis), ApiKeys(redis)

    def by(self, operator: str) -> Operations:
        """The same, done by this operator."""
        return Operations(self._redis, operator)

    def pause(self, model: str) -> None:
        """Start nothing of a model; what runs goes on, submissions are taken."""
        changed = self._server.command("SADD", Key.PAUSED, model)
        self.note("pause", model, {"paused": not changed}, {"paused": True})

    def resume(self, model: str) -> None:
        """Start its jobs again."""
        changed = self._server.command("SREM", Key.PAUSED, model)
        self.note("resume", model, {"paused": bool(changed)}, {"paused": False})

    def paused(self) -> frozenset[str]:
        """The models that stand still."""
        return self._names(Key.PAUSED)

    def drain(self, worker: str) -> None:
        """Let a worker end its job and take no other. Raises NotFound for one that is not there."""
        if not self._server.command("EXISTS", Key.WORKER + worker):
            raise NotFound(worker)
        changed = self._server.command("SADD", Key.DRAINED, worker)
        self.note("drain", worker, {"drained": not changed}, {"drained": True})

    def undrain(self, worker: str) -> None:
        """Let it take jobs again. Raises NotFound for one that is not there."""
        if not self._server.command("EXISTS", Key.WORKER + worker):
            raise NotFound(worker)
        changed = self._server.command("SREM", Key.DRAINED, worker)
        self.note("undrain", worker, {"drained": bool(changed)}, {"drained": False})

    def drained(self) -> frozenset[str]:
        """The workers that take no jobs."""
        return self._names(Key.DRAINED)

    def move_to_front(self, job_id: str) -> None:
        """Make a queued job the next of its model, whatever the shares. Raises NotFound, WrongState."""
        before, after = (int(place) for place in self._server.run("move_to_front", job_id))
        self.note("move_to_front", job_id, {"place": before}, {"place": after})

    def purge_tenant(self, tenant: str, *, keys: bool) -> Purged:
        """Forget all that a tenant has, its keys too if asked for; noted before it begins."""
        queued, running, _ = self._server.run("read_tenant", tenant)
        self.note("purge_tenant", tenant, {"queued": queued, "running": running}, {"keys_revoked": keys})
        return purge_tenant(self._redis, tenant, keys=keys)

    def purge_queue(self, model: str) -> int:
        """Cancel all jobs that wait for a model; how many that were. Noted before it begins."""
        self.note("purge_queue", model, {"queued": int(self._server.command("ZCARD", Key.READY + model))})
        return cancel_waiting(self._redis, model)

    def dead(self, limit: int) -> list[str]:
        """Jobs that failed as their workers crashed over them, the latest first."""
        found = self._server.command("ZRANGE", Key.DEAD, 0, limit - 1, "REV")
        return [job_id.decode() for job_id in found]

    def replayed(self, job_id: str, as_id: str) -> None:
        """A dead job was submitted again: it is no longer one to be looked after."""
        self._server.command("ZREM", Key.DEAD, job_id)
        self.note("replay", job_id, None, {"job": as_id})

    def create_key(
        self, tenant: str, name: str, scopes: Collection[Scope], seconds: int | None
    ) -> tuple[ApiKey, str]:
        """(what is known of the new key, the key). Raises TooManyKeys, ValueError."""
        key = self._keys.create(tenant, name, scopes, seconds)
        made = self._keys.get(id_of(key))
        self.note("create_key", made.id, None, told(made))
        return made, key

    def rotate_key(self, key_id: str, overlap_seconds: int, seconds: int | None) -> tuple[ApiKey, str]:
        """(what is known of the new key, the key); the old one ends. Raises NotFound, TooManyKeys."""
        old, key = self._keys.rotate(key_id, overlap_seconds, seconds)
        made = self._keys.get(id_of(key))
        self.note("rotate_key", key_id, told(old), {**told(made), "overlap_seconds": overlap_seconds})
        return made, key

    def revoke_key(self, key_id: str) -> None:
        """The key works no more. Raises NotFound."""
        before = self._keys.get(key_id)
        self._keys.revoke(key_id)
        self.note("revoke_key", key_id, told(before))

    def note(self, what: str, to: str, before: State = None, after: State = None) -> None:
        """The operator did something."""
        said = {"what": what, "to": to, "by": self._by, "before": _written(before), "after": _written(after)}
        flat = [word for pair in said.items() for word in pair]
        self._server.command("XADD", Key.ACTS, "MAXLEN", "~", MOST_ACTS, "*", *flat)

    def acts(self, limit: int) -> list[Act]:
        """What operators did, the latest first."""
        entries = self._server.command("XREVRANGE", Key.ACTS, "+", "-", "COUNT", limit)
        return [_decode(entry, fields) for entry, fields in entries]

    def _names(self, key: Key) -> frozenset[str]:
        return frozenset(name.decode() for name in self._server.command("SMEMBERS", key))


def told(key: ApiKey) -> dict[str, Any]:
    """A key as acts tell of it."""
    ends = key.expires_at and key.expires_at.isoformat()
    fields = {"id": key.id, "tenant": key.tenant, "name": key.name, "scopes": list(key.scopes)}
    return fields | ({"expires_at": ends} if ends else {})


def _decode(entry: bytes, fields: Mapping[bytes, bytes]) -> Act:
    said = {name.decode(): value.decode() for name, value in fields.items()}
    before, after = (json.loads(said.get(name) or "null") for name in ("before", "after"))
    return Act(moment(entry.split(b"-")[0]), said["what"], said["to"], said.get("by", ""), before, after)


def _written(state: State) -> str:
    return "" if state is None else json.dumps(state)
