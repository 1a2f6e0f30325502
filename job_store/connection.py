"""Connections to Valkey or Redis that fail within two seconds, so that nobody waits on a dead store.

Only broken connections are tried again, not slow answers. That is safe: every script may run twice.
"""

from __future__ import annotations

from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry

CONNECT_SECONDS = 1.0
ANSWER_SECONDS = 1.5
FOLLOW_SECONDS = 30.0  # longer than any blocking read of events.py
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
    """A client for following events: its reads may block."""
    return AsyncRedis.from_url(
        url,
        protocol=2,
        retry=AsyncRetry(_BACKOFF, RETRIES, (RedisConnectionError,)),
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=FOLLOW_SECONDS,
        health_check_interval=HEALTH_CHECK_SECONDS,
    )
