"""Where the primary is asked for: redis+sentinel://user:password@host:26379,host,…/service/0"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

SCHEME = "redis+sentinel://"
_PORT = 26379  # https://valkey.io/topics/sentinel/


@dataclass(frozen=True)
class SentinelPlace:
    """The sentinels to ask, the name they know the primary by, and the login and database there."""

    sentinels: list[tuple[str, int]]
    service: str
    login: dict[str, Any]


def is_sentinel(url: str) -> bool:
    return url.startswith(SCHEME)


def read_sentinel_url(url: str) -> SentinelPlace:
    """The database is 0 if none is named. Raises ValueError unless it names a sentinel and a service."""
    parts = urlsplit(url)
    account, _, hosts = parts.netloc.rpartition("@")
    user, _, password = account.partition(":")
    service, _, database = parts.path.strip("/").partition("/")
    if not (is_sentinel(url) and hosts and service):
        raise ValueError(f"expected {SCHEME}host:{_PORT},host:{_PORT}/service/0")
    login = {
        "username": unquote(user) or None,
        "password": unquote(password) or None,
        "db": int(database or 0),
    }
    return SentinelPlace([_address(host) for host in hosts.split(",")], unquote(service), login)


def _address(text: str) -> tuple[str, int]:
    """Of "host:port", "host" or "[::1]:port"."""
    address = urlsplit(f"//{text}")
    return address.hostname or "", address.port or _PORT
