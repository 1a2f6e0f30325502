"""Signed links to artifacts: HMAC-SHA256 over key and expiry. Pure; knows no store and no clock."""

from __future__ import annotations

import hmac


def sign(key: str, secret: str, now: float, seconds: int) -> str:
    """The path and query that give out this artifact until `seconds` after `now` (Unix time)."""
    expires = int(now) + seconds
    return f"/v1/artifacts/{key}?expires={expires}&signature={_signature(key, expires, secret)}"


def verify(key: str, secret: str, now: float, expires: int, signature: str) -> bool:
    """Whether these came from `sign` with the same secret and the time is not over. Takes any strings."""
    expected = _signature(key, expires, secret)
    return hmac.compare_digest(expected.encode(), signature.encode(errors="replace")) and now <= expires


def _signature(key: str, expires: int, secret: str) -> str:
    # Hex has one spelling for each value, and no newline stands in a key that exists.
    return hmac.new(secret.encode(), f"{key}\n{expires}".encode(errors="replace"), "sha256").hexdigest()
