"""Where a job stands: how many start before it, and when it will be done."""

from __future__ import annotations

import math

from api_schemas.estimates import EtaSeconds
from api_schemas.jobs import TERMINAL, QueueState
from job_store.errors import QueueFull, QuotaExceeded
from job_store.outlook import Ahead
from job_store.records import JobRecord
from service.errors import Refusal
from service.eta import Work, eta
from service.gateway import Gateway
from service.problems import to_refusal

MOST_RETRY_SECONDS = 3600


def queue_state(gateway: Gateway, record: JobRecord) -> QueueState | None:
    """None once it has ended. Raises `StoreUnavailable`."""
    if record.status in TERMINAL:
        return None
    if record.status == "running":
        left = 1 - (record.progress.percent if record.progress else 0) / 100
        own = Work(record.work * left, gateway.outlook.paces(record.model, record.shape))
        return QueueState(position=0, eta_seconds=eta([], own, workers=1, cap=1))
    ahead = gateway.outlook.ahead_of(record)
    return QueueState(position=ahead.count, eta_seconds=eta_behind(ahead, ahead.own))


def eta_behind(ahead: Ahead, work: float | None) -> EtaSeconds | None:
    """When a job of so many forwards is done that stands behind `ahead`; None where nobody can tell."""
    if work is None or ahead.paused:
        return None
    before = [Work(load.work, ahead.paces[load.shape], load.mine, load.jobs) for load in ahead.loads]
    idle = not ahead.count and ahead.running < ahead.serving and ahead.mine_running < ahead.cap
    own = Work(work, ahead.paces[ahead.shape])
    return eta([] if idle else before, own, ahead.serving, ahead.cap)


def no_room(gateway: Gateway, model: str, tenant: str, full: QueueFull | QuotaExceeded) -> Refusal:
    """The refusal, with the time that those who wait for the tenant's next job take: then there is room."""
    refusal, found = to_refusal(full), eta_behind(gateway.outlook.ahead(model, tenant, "bulk"), 0.0)
    if found is not None:
        seconds = min(max(math.ceil(found.p50), 1), MOST_RETRY_SECONDS)
        refusal.headers["Retry-After"] = str(seconds)
    return refusal
