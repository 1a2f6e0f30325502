"""Idempotency keys of what is not a job, as the scripts take them. A job's own go by the bare key."""

from __future__ import annotations

import hashlib

from job_store.jobs import IDEMPOTENCY_MS
from job_store.records import Idempotency


def once_words(kind: str, idempotency: Idempotency | None) -> tuple[str, str, int]:
    """(hash, fingerprint, ms to keep them); the same key may make one of each kind. Empty without a key."""
    if idempotency is None:
        return "", "", IDEMPOTENCY_MS
    hashed = hashlib.sha256(f"{kind} {idempotency.key}".encode()).hexdigest()
    return hashed, idempotency.fingerprint, IDEMPOTENCY_MS
