"""A job that failed as its workers crashed, once more."""

from __future__ import annotations

from dataclasses import replace

from job_store.operations import Operations
from job_store.records import Idempotency, JobRecord
from service.admission import accept
from service.errors import Refusal
from service.gateway import Gateway
from service.heirs import given_mask_of, heir_of


def replay(gateway: Gateway, acting: Operations, dead: JobRecord) -> JobRecord:
    """A new job of the same tenant and request, for a dead one the same one every time.

    Raises `Refusal`: wrong_state, source_unavailable, and what submitting it raises.
    """
    if dead.error is None or dead.error.code != "worker_crashed":
        raise Refusal("wrong_state", "Not now: the job did not fail by crashes.")
    mask = given_mask_of(gateway, dead)
    job = heir_of(gateway, dead, dead.request, model=dead.model, replay=dead.replay, given_mask=mask)
    if dead.replay is not None:  # the blend state that it goes on from is that parent's
        job = replace(job, parent_id=dead.parent_id)
    once = Idempotency(f"replay\0{dead.id}", "")  # no header can hold this key
    record, _ = accept(gateway, job, once)
    acting.replayed(dead.id, record.id)
    return record
