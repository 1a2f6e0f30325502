"""Batches: many jobs submitted at once. What a batch knows is which line became which job, or why none."""

from __future__ import annotations

import builtins
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from redis import Redis

from api_schemas.errors import Problem
from job_store.errors import BadCursor, NotFound
from job_store.jobs import IDEMPOTENCY_MS
from job_store.keys import Key
from job_store.records import Idempotency, moment, pairs
from job_store.server import Server

BATCH_MS = 30 * 86_400_000


@dataclass(frozen=True)
class BatchRecord:
    """A batch at one moment.

    total: its lines; jobs, refused: what became of those that were looked at, by line number from 1
    """

    id: str
    tenant: str
    total: int
    created_at: datetime
    expires_at: datetime
    canceled: bool
    jobs: dict[int, str]
    refused: dict[int, Problem]

    @property
    def left(self) -> list[int]:
        """The lines that nobody has looked at."""
        return [line for line in range(1, self.total + 1) if line not in self.jobs | self.refused]


class BatchStore:
    """All batches. Any call may raise StoreUnavailable; NotFound is for absent and foreign ones alike."""

    def __init__(self, redis: Redis) -> None:
        self._server = Server(redis)

    def create(
        self, batch_id: str, tenant: str, total: int, idempotency: Idempotency | None = None
    ) -> BatchRecord:
        """A new batch, or the one that the same key with the same body made. Raises IdempotencyKeyReused."""
        hashed = hashlib.sha256(f"batch {idempotency.key}".encode()).hexdigest() if idempotency else ""
        fingerprint = idempotency.fingerprint if idempotency else ""
        found = self._server.run(
            "create_batch", batch_id, tenant, total, BATCH_MS, hashed, fingerprint, IDEMPOTENCY_MS
        )
        return self.get(found[0].decode(), tenant)

    def get(self, batch_id: str, tenant: str) -> BatchRecord:
        """The tenant's batch. Raises NotFound."""
        flat, lines = self._server.run("read_batches", batch_id)[0]
        if pairs(flat).get("tenant") != tenant:
            raise NotFound(batch_id)
        return _decode(batch_id, flat, lines)

    def list(
        self, tenant: str, limit: int = 20, before: str | None = None
    ) -> tuple[builtins.list[BatchRecord], str | None]:
        """A tenant's batches, newest first, and the cursor to go on `before`, None at the end.

        Raises BadCursor.
        """
        if before is not None and not (before.isascii() and before.isdigit() and len(before) < 18):
            raise BadCursor(before)
        top = f"({before}" if before else "+inf"
        flat = self._server.command(
            "ZRANGE", Key.BATCHES + tenant, top, "-inf", "BYSCORE", "REV", "LIMIT", 0, limit, "WITHSCORES"
        )
        ids = [batch_id.decode() for batch_id in flat[::2]]
        rows = self._server.run("read_batches", *ids)
        found = [_decode(id_, *row) for id_, row in zip(ids, rows, strict=True) if row[0]]
        return found, flat[-1].decode() if len(ids) == limit else None

    def note(self, batch_id: str, line: int, became: str | Problem) -> bool:
        """A line became a job (its id), or was refused. True: the batch was canceled. Raises NotFound."""
        told = became if isinstance(became, str) else became.model_dump_json()
        return bool(self._server.run("note_batch_line", batch_id, line, told)[0])

    def cancel(self, batch_id: str, tenant: str) -> None:
        """Take no further lines; the jobs are left to the caller. Raises NotFound."""
        self._server.run("cancel_batch", batch_id, tenant)


def _decode(batch_id: str, flat: Sequence[bytes], lines: Sequence[bytes]) -> BatchRecord:
    fields = pairs(flat)
    told = {int(line): became for line, became in pairs(lines).items()}
    problems = {line: became for line, became in told.items() if became.startswith("{")}
    return BatchRecord(
        id=batch_id,
        tenant=fields["tenant"],
        total=int(fields["total"]),
        created_at=moment(fields["created_at"]),
        expires_at=moment(fields["expires_at"]),
        canceled=fields["canceled"] == "1",
        jobs={line: became for line, became in sorted(told.items()) if line not in problems},
        refused={line: Problem.model_validate_json(became) for line, became in sorted(problems.items())},
    )
