"""Tenants' API keys, `addit_<key id>_<128 random bits>` in hex: shown once, stored as a hash."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast

from redis import Redis

from api_schemas.keys import DAY_SECONDS, SCOPES, Scope
from job_store.errors import NotFound, StoreUnavailable
from job_store.keys import Key
from job_store.records import moment, pairs
from job_store.server import Server

LIVE_KEYS = 2  # of a tenant and name at a time: the old and the new one while it changes over
MOST_KEYS = 20  # of a tenant
USE_NOTED = timedelta(minutes=1)
"""How exactly `last_used_at` is known: not every request shall write."""
TENANT = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")  # part of artifact keys
_PRESENTED = re.compile(r"addit_([0-9a-f]{12})_([0-9a-f]{32})", re.ASCII)


@dataclass(frozen=True)
class ApiKey:
    """A live key as far as it is known: not its secret."""

    id: str
    tenant: str
    name: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None


class ApiKeys:
    """All live keys. Any call may raise StoreUnavailable."""

    def __init__(self, redis: Redis) -> None:
        self._server = Server(redis)

    def create(
        self, tenant: str, name: str, scopes: Collection[Scope] = SCOPES, seconds: int | None = None
    ) -> str:
        """A new key, shown this once; it works for so many seconds, or for good.

        Raises TooManyKeys; ValueError for a name no path may hold.
        """
        if not TENANT.fullmatch(tenant):
            raise ValueError(f"a tenant is named like {TENANT.pattern}, not {tenant!r}")
        key_id, secret = secrets.token_hex(6), secrets.token_hex(16)
        may = " ".join(scope for scope in SCOPES if scope in scopes)
        ms = "" if seconds is None else 1000 * seconds
        self._server.run("create_api_key", key_id, tenant, name, _hash(secret), may, ms, MOST_KEYS, LIVE_KEYS)
        return f"addit_{key_id}_{secret}"

    def rotate(
        self, key_id: str, overlap_seconds: int = DAY_SECONDS, seconds: int | None = None
    ) -> tuple[ApiKey, str]:
        """(the key before, a new one that may do the same); the old one works until the overlap ends.

        Raises NotFound; TooManyKeys while an earlier overlap lasts.
        """
        old = self.get(key_id)
        new = self.create(old.tenant, old.name, old.scopes, seconds)
        self._server.run("expire_api_key", key_id, 1000 * overlap_seconds)
        return old, new

    def find(self, presented: str) -> ApiKey | None:
        """The key that was presented, if it is live. Takes as long for a wrong secret as for a right one."""
        match = _PRESENTED.fullmatch(presented)
        if match is None:
            return None
        key_id, secret = match.groups()
        flat = self._server.run("read_api_keys", key_id)[0]
        stored = pairs(flat).get("hash", "")
        if not hmac.compare_digest(_hash(secret), stored):
            return None
        self._used(key := _decode(key_id, flat))
        return key

    def get(self, key_id: str) -> ApiKey:
        """A live key. Raises NotFound."""
        flat = self._server.run("read_api_keys", key_id)[0]
        if not flat:
            raise NotFound(key_id)
        return _decode(key_id, flat)

    def list(self, tenant: str) -> list[ApiKey]:
        """A tenant's live keys, oldest first."""
        ids = [key_id.decode() for key_id in self._server.command("SMEMBERS", Key.API_KEYS + tenant)]
        flats = self._server.run("read_api_keys", *ids)
        keys = (_decode(key_id, flat) for key_id, flat in zip(ids, flats, strict=True) if flat)
        return sorted(keys, key=lambda key: key.created_at)

    def revoke(self, key_id: str) -> None:
        """The key works no more. Raises NotFound."""
        self._server.run("revoke_api_key", key_id)

    def _used(self, key: ApiKey) -> None:
        if key.last_used_at is None or datetime.now(UTC) - key.last_used_at >= USE_NOTED:
            with suppress(StoreUnavailable):  # whoever may come in does so whether it can be noted or not
                self._server.run("use_api_key", key.id)


def id_of(key: str) -> str:
    """The id of a whole key."""
    return key.split("_")[1]


def presented_id(presented: str) -> str | None:
    """The id of what looks like a key, live or not."""
    match = _PRESENTED.fullmatch(presented)
    return match[1] if match else None


def _hash(secret: str) -> str:
    # 128 random bits need no slow hash: nobody can try them all.
    return hashlib.sha256(secret.encode()).hexdigest()


def _decode(key_id: str, flat: list[bytes]) -> ApiKey:
    fields = pairs(flat)
    used, ends = (fields.get(name) for name in ("last_used_at", "expires_at"))
    return ApiKey(
        id=key_id,
        tenant=fields["tenant"],
        name=fields["name"],
        scopes=_scopes(fields.get("scopes")),
        created_at=moment(fields["created_at"]),
        last_used_at=moment(used) if used else None,
        expires_at=moment(ends) if ends else None,
    )


def _scopes(stored: str | None) -> tuple[Scope, ...]:
    """Keys that were made before there were scopes may do everything."""
    return SCOPES if stored is None else cast("tuple[Scope, ...]", tuple(stored.split()))
