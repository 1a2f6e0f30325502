"""Connections to Valkey or Redis that fail within two seconds, so that nobody waits on a dead store.

Only broken connections are tried again, not slow answers. That is safe: every script may run twice.
"""

from __future__ import annotations

from redis import Redis
from redis.asyncio import BlockingConnectionPool
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import ExponentialWithJitterBackoff, NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry

CONNECT_SECONDS = 1.0
ANSWER_SECONDS = 1.5
BLOCK_SECONDS = 12.0  # longer than the blocking read of event_reader.py
FOLLOWING = 4  # connections for short reads, of however many who follow
FOLLOWING_SECONDS = 5.0  # that a read waits for one of them
HEALTH_CHECK_SECONDS = 15  # an idle connection is tested before it is used again
RETRIES = 2  # redis-py nests them, connecting within sending: up to nine tries
_BACKOFF = ExponentialWithJitterBackoff(cap=0.2, base=0.03)


def connect(url: str) -> Redis:
    """A client for threads. Answers are bytes, as RQ needs them."""
    return Redis.from_url(
        url,
        protocol=2,
        retry=Retry(_BACKOFF, RETRIES, (RedisConnectionError,)),
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=ANSWER_SECONDS,
        health_check_interval=HEALTH_CHECK_SECONDS,
    )


def connect_async(url: str) -> AsyncRedis:
    """A client for many tasks, of few connections."""
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=FOLLOWING,
        timeout=FOLLOWING_SECONDS,
        protocol=2,
        retry=AsyncRetry(_BACKOFF, RETRIES, (RedisConnectionError,)),
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=ANSWER_SECONDS,
        health_check_interval=HEALTH_CHECK_SECONDS,
    )
    return AsyncRedis.from_pool(pool)


def connect_blocking(url: str) -> AsyncRedis:
    """A client of one connection for reads that block; it fails where it breaks, and connects at the next."""
    return AsyncRedis.from_url(
        url,
        single_connection_client=True,
        protocol=2,
        retry=AsyncRetry(NoBackoff(), 0),
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=BLOCK_SECONDS,
    )
