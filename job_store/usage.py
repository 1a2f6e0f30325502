"""What a tenant's jobs came to, day by day: counted by the scripts that end them, so once each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from redis import Redis

from api_schemas.jobs import TERMINAL, JobStatus
from job_store.records import pairs
from job_store.server import Server

EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class UsageDay:
    """A UTC day by the server's clock.

    ended: how many jobs ended in each way; gpu_seconds: of those that succeeded; stored_bytes: of what they
    stored
    """

    day: date
    ended: dict[JobStatus, int]
    gpu_seconds: float
    stored_bytes: int


class Usage:
    """All of it, for 400 days. Any call may raise StoreUnavailable."""

    def __init__(self, redis: Redis) -> None:
        self._server = Server(redis)

    def days(self, tenant: str, since: date, until: date) -> list[UsageDay]:
        """From one day to the other, both included; days without jobs are left out."""
        bounds = ((day - EPOCH).days for day in (since, until))
        flats = self._server.run("read_usage", tenant, *bounds)
        return [_decode(since + timedelta(days), flat) for days, flat in enumerate(flats) if flat]


def _decode(day: date, flat: list[bytes]) -> UsageDay:
    fields = pairs(flat)
    ended = {status: int(fields.get(status, 0)) for status in sorted(TERMINAL)}
    return UsageDay(day, ended, float(fields.get("gpu_seconds", 0)), int(fields.get("stored_bytes", 0)))
