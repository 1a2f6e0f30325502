"""The time of the store's server: the clock of any other machine may be wrong."""

from __future__ import annotations

from datetime import UTC, datetime

from redis import Redis

from job_store.server import redis_errors


def server_now(redis: Redis) -> datetime:
    """Raises StoreUnavailable."""
    with redis_errors():
        seconds, microseconds = redis.time()
    return datetime.fromtimestamp(seconds + microseconds / 1e6, UTC)
