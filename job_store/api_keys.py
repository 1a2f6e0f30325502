"""Tenants' API keys, `addit_<key id>_<128 random bits>` in hex: shown once, stored as a hash."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime

from redis import Redis

from job_store.keys import Key
from job_store.records import moment, pairs
from job_store.server import Server

LIVE_KEYS = 2  # of a tenant at a time: the old and the new one while it changes over
TENANT = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")  # part of artifact keys
_PRESENTED = re.compile(r"addit_([0-9a-f]{12})_([0-9a-f]{32})", re.ASCII)


@dataclass(frozen=True)
class ApiKey:
    """A key as far as it is known: not its secret."""

    id: str
    tenant: str
    name: str
    created_at: datetime


class ApiKeys:
    """All live keys. Any call may raise StoreUnavailable."""

    def __init__(self, redis: Redis) -> None:
        self._server = Server(redis)

    def create(self, tenant: str, name: str) -> str:
        """A new key, shown this once. Raises TooManyKeys; ValueError for a name no path may hold."""
        if not TENANT.fullmatch(tenant):
            raise ValueError(f"a tenant is named like {TENANT.pattern}, not {tenant!r}")
        key_id, secret = secrets.token_hex(6), secrets.token_hex(16)
        self._server.run("create_api_key", key_id, tenant, name, _hash(secret), LIVE_KEYS)
        return f"addit_{key_id}_{secret}"

    def find(self, presented: str) -> ApiKey | None:
        """The key that was presented, if it is live. Takes as long for a wrong secret as for a right one."""
        match = _PRESENTED.fullmatch(presented)
        if match is None:
            return None
        key_id, secret = match.groups()
        flat = self._server.run("read_api_keys", key_id)[0]
        stored = pairs(flat).get("hash", "") if flat else ""
        return _decode(key_id, flat) if hmac.compare_digest(_hash(secret), stored) else None

    def list(self, tenant: str) -> list[ApiKey]:
        """A tenant's live keys, oldest first."""
        ids = [key_id.decode() for key_id in self._server.command("SMEMBERS", Key.API_KEYS + tenant)]
        flats = self._server.run("read_api_keys", *ids)
        keys = (_decode(key_id, flat) for key_id, flat in zip(ids, flats, strict=True) if flat)
        return sorted(keys, key=lambda key: key.created_at)

    def revoke(self, key_id: str) -> None:
        """The key works no more. Raises NotFound."""
        self._server.run("revoke_api_key", key_id)


def _hash(secret: str) -> str:
    # 128 random bits need no slow hash: nobody can try them all.
    return hashlib.sha256(secret.encode()).hexdigest()


def _decode(key_id: str, flat: list[bytes]) -> ApiKey:
    fields = pairs(flat)
    return ApiKey(key_id, fields["tenant"], fields["name"], moment(fields["created_at"]))
