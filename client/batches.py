"""Batches of the blocking client."""

from __future__ import annotations

import builtins
from collections.abc import Sequence

from api_schemas.batches import Batch, BatchList, BatchResult
from api_schemas.insertions import InsertionRequest
from client import batch_calls as calls
from client.webhooks import Send


class Batches:
    """`addit.batches`: many insertions in one go, at bulk priority."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def submit(self, requests: Sequence[InsertionRequest], idempotency_key: str | None = None) -> Batch:
        """Queues up to 1000 insertions; those that are refused are told of in the results."""
        return self._send(calls.submit(requests, idempotency_key))

    def submit_lines(self, lines: bytes, idempotency_key: str | None = None) -> Batch:
        """The same from JSONL."""
        return self._send(calls.submit_lines(lines, idempotency_key))

    def list(self, limit: int = 20, cursor: str | None = None) -> BatchList:
        """A page of the own batches, newest first."""
        return self._send(calls.batches(limit, cursor))

    def get(self, batch_id: str) -> Batch:
        """How many of its jobs are where."""
        return self._send(calls.batch(batch_id))

    def results(self, batch_id: str) -> builtins.list[BatchResult]:
        """What became of each line, once the batch has ended."""
        return self._send(calls.results(batch_id))

    def cancel(self, batch_id: str) -> Batch:
        """Stops all that has not ended."""
        return self._send(calls.cancel(batch_id))
