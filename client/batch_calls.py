"""The API's batches as values, as in `calls`."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

import httpx

from api_schemas.batches import Batch, BatchList, BatchResult
from api_schemas.insertions import InsertionRequest
from client.calls import Call

BATCHES = "/v1/batches"
SUBMIT_SECONDS = 270.0
"""Of a thousand lines with pictures inside."""


def submit(requests: Sequence[InsertionRequest], idempotency_key: str | None = None) -> Call[Batch]:
    """The same key with the same requests is the same batch: a retry adds nothing twice."""
    lines = "".join(f"{request.model_dump_json()}\n" for request in requests)
    return submit_lines(lines.encode(), idempotency_key)


def submit_lines(lines: bytes, idempotency_key: str | None = None) -> Call[Batch]:
    """The same from JSONL."""
    headers = {
        "Idempotency-Key": idempotency_key or secrets.token_hex(16),
        "Content-Type": "application/jsonl",
    }
    return Call("POST", BATCHES, _batch, {"content": lines, "headers": headers}, SUBMIT_SECONDS)


def batches(limit: int = 20, cursor: str | None = None) -> Call[BatchList]:
    """A page of the own batches, newest first."""
    params: dict[str, Any] = {"limit": limit} | ({"cursor": cursor} if cursor else {})
    return Call("GET", BATCHES, lambda it: BatchList.model_validate_json(it.content), {"params": params})


def batch(batch_id: str) -> Call[Batch]:
    """How many of its jobs are where."""
    return Call("GET", f"{BATCHES}/{batch_id}", _batch)


def results(batch_id: str) -> Call[list[BatchResult]]:
    """What became of each line."""
    return Call("GET", f"{BATCHES}/{batch_id}/results", _results)


def cancel(batch_id: str) -> Call[Batch]:
    """Stops all that has not ended."""
    return Call("POST", f"{BATCHES}/{batch_id}/cancel", _batch)


def _batch(answer: httpx.Response) -> Batch:
    return Batch.model_validate_json(answer.content)


def _results(answer: httpx.Response) -> list[BatchResult]:
    return [BatchResult.model_validate_json(line) for line in answer.content.splitlines()]
