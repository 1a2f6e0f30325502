"""What each tenant may do, and what share of the workers is its own. The scripts hold it to both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from redis import Redis

from api_schemas.insertions import InsertionRequest
from job_store.keys import Key
from job_store.records import pairs
from job_store.server import Server


@dataclass(frozen=True)
class Limits:
    """A tenant's share and bounds.

    weight: of its share of the workers while others wait too; above 0
    max_running, max_queued: jobs at a time, over all models
    per_minute: submissions; a minute's worth may come at once
    max_retain_seconds: that pictures are kept at most, whatever a request says
    """

    weight: float = 1.0
    max_running: int = 10_000
    max_queued: int = 5_000
    per_minute: int = 6_000
    max_retain_seconds: int = 2_592_000


@dataclass(frozen=True)
class Tenant:
    """A tenant as it is now. own: names of those `limits` that were set for it, not by the settings."""

    name: str
    limits: Limits
    own: frozenset[str]
    queued: int
    running: int

    def own_limits(self) -> dict[str, float]:
        """Those that were set for it."""
        return {name: value for name, value in asdict(self.limits).items() if name in self.own}


class Tenants:
    """All tenants. Any call may raise StoreUnavailable."""

    def __init__(self, redis: Redis, usual: Limits) -> None:
        self._server, self._usual = Server(redis), usual

    def get(self, name: str) -> Tenant:
        """One; it need not have submitted anything yet."""
        queued, running, flat = self._server.run("read_tenant", name)
        own = pairs(flat)
        return Tenant(name, _limits(asdict(self._usual) | own), frozenset(own), queued, running)

    def all(self) -> list[Tenant]:
        """Those that ever submitted a job or were given limits, by name."""
        return [self.get(name.decode()) for name in sorted(self._server.command("SMEMBERS", Key.TENANTS))]

    def put(self, name: str, own: Mapping[str, float]) -> Tenant:
        """Give it these limits, fields of `Limits`, and the usual ones for the rest. Holds at once."""
        flat = [str(part) for field in own.items() for part in field]
        self._server.run("put_limits", name, *flat)
        return self.get(name)


def work_of(request: InsertionRequest) -> int:
    """What a job is charged for whose forwards are not known: denoising steps over all its seeds."""
    return max(1, len(request.seeds)) * (request.options.num_inference_steps or 1)


def _limits(fields: Mapping[str, object]) -> Limits:
    numbers = {name: float(str(value)) for name, value in fields.items()}
    return Limits(numbers.pop("weight"), **{name: int(value) for name, value in numbers.items()})
