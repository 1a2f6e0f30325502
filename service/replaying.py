"""A job that failed as its workers crashed, once more."""

from __future__ import annotations

from api_schemas.base import new_id
from job_store.artifacts import mask_key
from job_store.operations import Operations
from job_store.records import Idempotency, JobRecord, NewJob
from service.admission import accept
from service.errors import Refusal
from service.gateway import Gateway
from service.variations import kept, own_masks, own_source


def replay(gateway: Gateway, acting: Operations, dead: JobRecord) -> JobRecord:
    """A new job of the same tenant and request, for a dead one the same one every time.

    Raises `Refusal`: wrong_state, source_unavailable, and what submitting it raises.
    """
    if dead.error is None or dead.error.code != "worker_crashed":
        raise Refusal("wrong_state", "Not now: the job did not fail by crashes.")
    job_id = new_id("ins")
    own_masks(gateway, dead, dead.request, job_id)
    if dead.replay == "mask":
        gateway.artifacts.put(
            mask_key(dead.tenant, job_id, "mask"), kept(gateway, mask_key(dead.tenant, dead.id, "mask"))
        )
    job = NewJob(
        id=job_id,
        tenant=dead.tenant,
        model=dead.model,
        request=dead.request,
        source_key=own_source(gateway, dead, job_id),
        parent_id=dead.parent_id if dead.replay else dead.id,
        source_id=dead.source_id,
        replay=dead.replay,
        shape=dead.shape,
    )
    once = Idempotency(f"replay\0{dead.id}", "")  # no header can hold this key
    record, _ = accept(gateway, job, once)
    acting.replayed(dead.id, record.id)
    return record
