"""Batches: every line is a submission like any other, refused or accepted by itself."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

from api_schemas.base import new_id
from api_schemas.batches import Batch, BatchCounts, BatchResult, BatchStatus
from api_schemas.errors import Problem
from api_schemas.insertions import InsertionRequest
from job_store.batches import BatchRecord
from job_store.errors import NotFound, StoreError, StoreUnavailable, WrongState
from job_store.records import JobRecord
from runtime.telemetry import traceparent
from service.admission import idempotency_of
from service.answers import job_body
from service.bodies import parse_json
from service.errors import Refusal
from service.gateway import Gateway
from service.problems import to_problem, to_refusal
from service.scenes import admit_any
from service.submission import submission_of

MAX_LINES = 1000


def admit_batch(gateway: Gateway, tenant: str, body: bytes, idempotency_key: str | None) -> BatchRecord:
    """The batch with all of its lines looked at; the same again goes on where it was broken off.

    Raises `Refusal` and `StoreError`.
    """
    lines = {number: line for number, line in enumerate(body.splitlines(), 1) if line.strip()}
    if not lines:
        raise Refusal("invalid_request", "There is no line: send JSONL, an insertion a line.")
    if max(lines) > MAX_LINES:
        raise Refusal("invalid_request", f"There are more than {MAX_LINES} lines.")
    idempotency = idempotency_of(idempotency_key, lambda: hashlib.sha256(body).hexdigest())
    batch = gateway.batches.create(new_id("bat"), tenant, max(lines), idempotency)
    canceled = batch.canceled
    for number in batch.left:
        if canceled:
            break
        became = _admit_line(gateway, batch, number, lines.get(number, b""))
        canceled = gateway.batches.note(batch.id, number, became)
    if canceled:  # while its lines came in
        cancel_batch(gateway, batch)
    return gateway.batches.get(batch.id, tenant)


def _admit_line(gateway: Gateway, batch: BatchRecord, number: int, line: bytes) -> str | Problem:
    """The id of the line's job, or why there is none. Raises `StoreUnavailable`."""
    try:
        request = parse_json(line, InsertionRequest).model_copy(update={"priority": "bulk"})
        submission = submission_of(request, {})
        record, _ = admit_any(gateway, batch.tenant, submission, f"batch {batch.id} {number}", traceparent())
    except StoreUnavailable:
        raise
    except (Refusal, StoreError) as error:
        return to_problem(to_refusal(error), {})
    return record.id


def cancel_batch(gateway: Gateway, batch: BatchRecord) -> BatchRecord:
    """Take no more lines and stop all jobs. Raises `StoreError`."""
    gateway.batches.cancel(batch.id, batch.tenant)
    batch = gateway.batches.get(batch.id, batch.tenant)
    for job_id in batch.jobs.values():
        with suppress(NotFound, WrongState):
            gateway.store.cancel(job_id, batch.tenant)
    return batch


def batch_body(gateway: Gateway, batch: BatchRecord) -> Batch:
    """The batch as its tenant sees it."""
    jobs = gateway.store.find([*batch.jobs.values()])
    found = Counter("deleted" if job is None else job.status for job in jobs)
    ends = {
        name: found[name] for name in BatchCounts.model_fields if name not in ("total", "refused", "left")
    }
    counts = BatchCounts(total=batch.total, refused=len(batch.refused), left=len(batch.left), **ends)
    status = _status(batch, counts)
    results = gateway.links.to(f"/v1/batches/{batch.id}/results")
    return Batch(
        id=batch.id,
        status=status,
        created_at=batch.created_at,
        expires_at=batch.expires_at,
        counts=counts,
        results_url=results if status in ("completed", "canceled") else None,
    )


def _status(batch: BatchRecord, counts: BatchCounts) -> BatchStatus:
    is_open = counts.queued + counts.running > 0
    if batch.canceled:
        return "canceling" if is_open else "canceled"
    if counts.left:
        return "accepting"
    return "in_progress" if is_open else "completed"


def results(gateway: Gateway, batch: BatchRecord) -> Iterator[BatchResult]:
    """What became of each line that was looked at, in their order."""
    jobs: dict[int, JobRecord | None] = dict(
        zip(batch.jobs, gateway.store.find([*batch.jobs.values()]), strict=True)
    )
    for line in sorted(batch.jobs.keys() | batch.refused.keys()):
        job = jobs.get(line)
        insertion = job_body(gateway, job) if job else None
        yield BatchResult(line=line, insertion=insertion, problem=batch.refused.get(line))
