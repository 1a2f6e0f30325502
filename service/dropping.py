"""One seed of a job is not wanted any more."""

from __future__ import annotations

from job_store.records import JobRecord
from job_store.tenants import work_of
from service.admission import work_in
from service.gateway import Gateway


def drop_seed(gateway: Gateway, record: JobRecord, seed: int) -> JobRecord:
    """The job without it, canceled if it was the last; one that waits has less work. Raises `StoreError`."""
    gone = {*record.dropped_seeds, seed}
    left = [one for one in record.request.seeds if one not in gone]
    request, card = record.request.model_copy(update={"seeds": left}), gateway.workers.card(record.model)
    new, remembered = (work_in(request, card, known) if card and left else None for known in (False, True))
    return gateway.store.drop_seed(record.id, record.tenant, seed, new or work_of(request), remembered)
