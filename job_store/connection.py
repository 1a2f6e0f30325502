"""Connections to Valkey or Redis that fail within two seconds, so that nobody waits on a dead store.

Only broken connections are tried again, not slow answers. That is safe: every script may run twice.
"""

from __future__ import annotations

from typing import Any

from redis import Redis
from redis.asyncio import BlockingConnectionPool
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio.retry import Retry as AsyncRetry
from redis.asyncio.sentinel import Sentinel as AsyncSentinel
from redis.asyncio.sentinel import SentinelConnectionPool
from redis.backoff import ExponentialWithJitterBackoff, NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry
from redis.sentinel import Sentinel

from job_store.sentinel_url import is_sentinel, read_sentinel_url

CONNECT_SECONDS = 1.0
ANSWER_SECONDS = 1.5
BLOCK_SECONDS = 12.0  # longer than the blocking read of event_reader.py
FOLLOWING = 4  # connections for short reads, of however many who follow
FOLLOWING_SECONDS = 5.0  # that a read waits for one of them
HEALTH_CHECK_SECONDS = 15  # an idle connection is tested before it is used again
RETRIES = 2  # redis-py nests them, connecting within sending: up to nine tries
_BACKOFF = ExponentialWithJitterBackoff(cap=0.2, base=0.03)
_SHORT: dict[str, Any] = {
    "protocol": 2,
    "socket_connect_timeout": CONNECT_SECONDS,
    "socket_timeout": ANSWER_SECONDS,
    "health_check_interval": HEALTH_CHECK_SECONDS,
}
"""Of clients whose reads are answered at once."""
_ASKING: dict[str, Any] = {"socket_connect_timeout": 0.3, "socket_timeout": 0.3}
"""How long one sentinel has to say who the primary is, before the next is asked."""


def connect(url: str) -> Redis:
    """A client for threads. Answers are bytes, as RQ needs them."""
    options = {**_SHORT, "retry": Retry(_BACKOFF, RETRIES, (RedisConnectionError,))}
    if not is_sentinel(url):
        return Redis.from_url(url, **options)
    place = read_sentinel_url(url)
    asking = {**_ASKING, "retry": Retry(_BACKOFF, 0)}
    sentinel = Sentinel(place.sentinels, sentinel_kwargs=asking)  # type: ignore[no-untyped-call]
    primary: Redis = sentinel.master_for(place.service, **place.login, **options)  # type: ignore[no-untyped-call]
    return primary


def connect_async(url: str) -> AsyncRedis:
    """A client for many tasks, of few connections; of as many as tasks where sentinels are asked."""
    options = {**_SHORT, "retry": AsyncRetry(_BACKOFF, RETRIES, (RedisConnectionError,))}
    if is_sentinel(url):
        return AsyncRedis.from_pool(_asked_of_sentinels(url, options))
    few = {"max_connections": FOLLOWING, "timeout": FOLLOWING_SECONDS}
    return AsyncRedis.from_pool(BlockingConnectionPool.from_url(url, **few, **options))


def connect_blocking(url: str) -> AsyncRedis:
    """A client of one connection for reads that block; it fails where it breaks, and connects at the next."""
    options: dict[str, Any] = {
        "protocol": 2,
        "retry": AsyncRetry(NoBackoff(), 0),
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": BLOCK_SECONDS,
    }
    if is_sentinel(url):
        pool = _asked_of_sentinels(url, options)
        return AsyncRedis(connection_pool=pool, single_connection_client=True)
    return AsyncRedis.from_url(url, single_connection_client=True, **options)


class _AskedOfSentinels(SentinelConnectionPool):
    """Connections to whatever is the primary when they are made; those to the sentinels end with them."""

    async def disconnect(self, inuse_connections: bool = True) -> None:
        await super().disconnect(inuse_connections)
        for asked in self.sentinel_manager.sentinels:
            await asked.aclose()


def _asked_of_sentinels(url: str, options: dict[str, Any]) -> SentinelConnectionPool:
    place = read_sentinel_url(url)
    asking = {**_ASKING, "retry": AsyncRetry(_BACKOFF, 0)}
    sentinel = AsyncSentinel(place.sentinels, sentinel_kwargs=asking)  # type: ignore[no-untyped-call]
    return _AskedOfSentinels(  # type: ignore[no-untyped-call]
        place.service, sentinel, **place.login, **options
    )
