"""Batches of the async client: the same calls, awaited."""

from __future__ import annotations

import builtins
from collections.abc import Sequence

from api_schemas.batches import Batch, BatchList, BatchResult
from api_schemas.insertions import InsertionRequest
from client import batch_calls as calls
from client.async_webhooks import Send


class AsyncBatches:
    """`addit.batches`: many insertions in one go, at bulk priority."""

    def __init__(self, send: Send) -> None:
        self._send = send

    async def submit(self, requests: Sequence[InsertionRequest], idempotency_key: str | None = None) -> Batch:
        """Queues up to 1000 insertions; those that are refused are told of in the results."""
        return await self._send(calls.submit(requests, idempotency_key))

    async def submit_lines(self, lines: bytes, idempotency_key: str | None = None) -> Batch:
        """The same from JSONL."""
        return await self._send(calls.submit_lines(lines, idempotency_key))

    async def list(self, limit: int = 20, cursor: str | None = None) -> BatchList:
        """A page of the own batches, newest first."""
        return await self._send(calls.batches(limit, cursor))

    async def get(self, batch_id: str) -> Batch:
        """How many of its jobs are where."""
        return await self._send(calls.batch(batch_id))

    async def results(self, batch_id: str) -> builtins.list[BatchResult]:
        """What became of each line, once the batch has ended."""
        return await self._send(calls.results(batch_id))

    async def cancel(self, batch_id: str) -> Batch:
        """Stops all that has not ended."""
        return await self._send(calls.cancel(batch_id))
