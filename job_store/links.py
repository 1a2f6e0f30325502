"""Signed links to artifacts: HMAC-SHA256 over key and expiry. Pure; knows no store and no clock."""

from __future__ import annotations

import hmac


def sign(key: str, secret: str, now: float, seconds: int) -> str:
    """The path and query that give out this artifact until `seconds` after `now` (Unix time)."""
    expires = str(int(now) + seconds)
    return f"/v1/artifacts/{key}?expires={expires}&signature={_signature(key, expires, secret)}"


def verify(key: str, expires: str, signature: str, secret: str, now: float) -> bool:
    """Whether these came from `sign` with the same secret and the time is not over. Takes any strings."""
    expected = _signature(key, expires, secret)
    if not hmac.compare_digest(expected.encode(), signature.encode(errors="replace")):
        return False
    return now <= int(expires)


def _signature(key: str, expires: str, secret: str) -> str:
    # Hex has one spelling for each value, and no newline stands in a key that exists.
    return hmac.new(secret.encode(), f"{key}\n{expires}".encode(errors="replace"), "sha256").hexdigest()
