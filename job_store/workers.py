"""Which workers live and what they serve. A worker that stops saying so is forgotten."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal

from redis import Redis

from api_schemas.models import ModelCard
from job_store.footprint import DeviceMemory
from job_store.keys import Key
from job_store.memory_use import MemoryUse, memory_use
from job_store.server import Server


@dataclass(frozen=True)
class WorkerState:
    """What a worker says of itself.

    state: `down` is a worker that gave up after too many engine exits
    pid, engine_pid: its own process and the one that holds the models
    last_ok: when its engine last proved that it works, by a canary or a job
    memory: of sources, over all engines it has had
    device: as its engine said last; None without an accelerator, or while it loads
    resident_bytes: of its engine's process now
    """

    name: str
    model: str
    state: Literal["loading", "ready", "busy", "down"]
    pid: int
    engine_pid: int | None
    last_ok: datetime | None
    started_at: datetime
    memory: MemoryUse = field(default_factory=MemoryUse)
    device: DeviceMemory | None = None
    resident_bytes: int | None = None


class WorkerRegistry:
    """The registry. Any call may raise StoreUnavailable."""

    def __init__(self, redis: Redis) -> None:
        self._server = Server(redis)

    def announce(self, card: ModelCard) -> None:
        """Tell what a model can do."""
        self._server.command("SET", Key.CARD + card.name, card.model_dump_json())

    def put_state(self, state: WorkerState, ttl: float) -> None:
        """Tell how a worker is; it counts as gone after `ttl` seconds."""
        self._server.run("put_worker", state.name, _to_json(state), round(ttl * 1000), state.state)

    def remove(self, name: str) -> None:
        """A worker has stopped."""
        self._server.command("DEL", Key.WORKER + name, Key.IDLE + name)
        self._server.command("SREM", Key.WORKERS, name)
        self._server.command("SREM", Key.DRAINED, name)

    def all(self) -> list[WorkerState]:
        """All workers that spoke lately, by name."""
        names = sorted(name.decode() for name in self._server.command("SMEMBERS", Key.WORKERS))
        values = self._server.command("MGET", *(Key.WORKER + name for name in names)) if names else []
        for name, value in zip(names, values, strict=True):
            if value is None:
                self._server.command("SREM", Key.WORKERS, name)
                self._server.command("SREM", Key.DRAINED, name)
        return [_from_json(value) for value in values if value is not None]

    def live(self, model: str | None = None) -> list[WorkerState]:
        """Those that serve, or soon will: all but the ones that gave up. Of one model, or of any."""
        return [state for state in self.all() if state.state != "down" and model in (None, state.model)]

    def card(self, model: str) -> ModelCard | None:
        """What a model can do, as its latest worker said."""
        value = self._server.command("GET", Key.CARD + model)
        return None if value is None else _card(value)

    def cards(self) -> list[ModelCard]:
        """The models that a live worker serves, by name."""
        found = (_card(value) for value in self._server.run("served_cards"))
        return sorted(found, key=lambda card: card.name)


@lru_cache(maxsize=64)
def _card(value: bytes) -> ModelCard:
    """Every submission asks for it, and it hardly ever changes."""
    return ModelCard.model_validate_json(value)


def _to_json(state: WorkerState) -> str:
    return json.dumps(asdict(state), default=datetime.isoformat)


def _from_json(value: bytes) -> WorkerState:
    """Of this release or its neighbours: what one does not know, or does not say, is no error."""
    told: dict[str, Any] = json.loads(value)
    known = {field.name for field in dataclasses.fields(WorkerState)}
    fields = {name: value for name, value in told.items() if name in known}
    if "memory" in fields:
        fields["memory"] = memory_use(fields["memory"])
    if fields.get("device"):
        fields["device"] = DeviceMemory(**fields["device"])
    for name in ("last_ok", "started_at"):
        fields[name] = fields[name] and datetime.fromisoformat(fields[name])
    return WorkerState(**fields)
