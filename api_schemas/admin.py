"""What operators see and set: tenants' limits, queues, workers, jobs that crashed, what was done."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from api_schemas.base import RequestModel, ResponseModel, Timestamp, is_none
from api_schemas.jobs import JobStatus

InCell = Annotated[
    str | None, Field(exclude_if=is_none, description="Its cell, where tenants are shared out over several.")
]
Unreached = Annotated[
    list[str] | None,
    Field(
        exclude_if=is_none,
        description="Of several cells those that did not answer: what they have is missing.",
    ),
]


class OwnLimits(RequestModel):
    """A tenant's limits; null or left out: as the settings say."""

    weight: float | None = Field(
        default=None, gt=0, le=1000, description="Of its share of the workers while others wait too."
    )
    max_running: int | None = Field(
        default=None, ge=0, le=10**6, description="Jobs that run at a time, over all models."
    )
    max_queued: int | None = Field(
        default=None, ge=0, le=10**6, description="Jobs that wait; more are `quota_exceeded`."
    )
    per_minute: int | None = Field(
        default=None,
        ge=0,
        le=10**6,
        description="Submissions; a minute's worth may come at once, more are `rate_limited`.",
    )
    max_retain_seconds: int | None = Field(
        default=None, ge=60, le=2_592_000, description="Pictures are kept at most so long."
    )


class TenantLimits(ResponseModel):
    """What holds for a tenant."""

    weight: float = Field(description="Of its share of the workers while others wait too.")
    max_running: int = Field(description="Jobs that run at a time, over all models.")
    max_queued: int = Field(description="Jobs that wait.")
    per_minute: int = Field(description="Submissions.")
    max_retain_seconds: int = Field(description="Pictures are kept at most so long.")


class TenantState(ResponseModel):
    """A tenant as it is now."""

    object: Literal["tenant"] = Field(default="tenant", description="What this is.")
    name: str = Field(description="As its keys were made for.")
    limits: TenantLimits = Field(description="What holds for it.")
    own: list[str] = Field(description="Which of them were set for it; the rest are the settings'.")
    queued: int = Field(description="Its jobs that wait.")
    running: int = Field(description="Its jobs that run.")
    cell: InCell = None


class TenantList(ResponseModel):
    """Tenants that ever submitted a job or were given limits, by name."""

    object: Literal["list"] = Field(default="list", description="What this is.")
    data: list[TenantState] = Field(description="The tenants.")
    unreached: Unreached = None


class TenantPurge(ResponseModel):
    """What is gone of a tenant. Its pictures go within seconds, two hundred jobs each time."""

    object: Literal["tenant.purge"] = Field(default="tenant.purge", description="What this is.")
    tenant: str = Field(description="Whose it was.")
    jobs: int = Field(description="Jobs with their pictures and prompts, those that waited canceled before.")
    stopping: int = Field(description="Jobs that run: they stop within a step, and go then.")
    scenes: int = Field(description="Scenes; their steps are among the jobs.")
    batches: int = Field(description="Batches; their lines are among the jobs.")
    images: int = Field(description="Uploaded pictures.")
    keys: int = Field(description="Keys that were revoked.")


class QueuePurge(ResponseModel):
    """What no longer waits."""

    object: Literal["queue.purge"] = Field(default="queue.purge", description="What this is.")
    model: str = Field(description="For what.")
    canceled: int = Field(description="Jobs of all tenants that waited and are canceled.")


class QueueInfo(ResponseModel):
    """A model's queue as it is now."""

    object: Literal["queue"] = Field(default="queue", description="What this is.")
    model: str = Field(description="Whose jobs wait in it.")
    paused: bool = Field(description="Whether nothing of it starts.")
    queued: int = Field(description="Jobs that wait.")
    claimable: int = Field(description="Of them those that might start now: within their tenants' caps.")
    workers: int = Field(description="Workers that serve the model and are not drained.")
    cell: InCell = None


class QueueList(ResponseModel):
    """All queues, by model."""

    object: Literal["list"] = Field(default="list", description="What this is.")
    data: list[QueueInfo] = Field(description="The queues.")
    unreached: Unreached = None


class SourceTier(ResponseModel):
    """A place where a worker remembers sources."""

    tier: str = Field(description="`device`, `host` or `disk`.")
    held_bytes: int = Field(description="Of sources' keys and values in it.")
    most_bytes: int = Field(description="That it may hold.")


class WorkerInfo(ResponseModel):
    """A worker as it last said."""

    object: Literal["worker"] = Field(default="worker", description="What this is.")
    name: str = Field(description="`worker_…`, new with every start.")
    model: str = Field(description="What it serves.")
    state: Literal["loading", "ready", "busy", "down"] = Field(description="What it does.")
    drained: bool = Field(description="Whether it takes no more jobs.")
    started_at: Timestamp = Field(description="When it started.")
    last_ok: Timestamp | None = Field(description="When it last proved that it works.")
    memory_used_bytes: int | None = Field(
        default=None,
        description="Of its accelerator, by whomever, when it last had loaded or ended a job; null without "
        "one.",
    )
    memory_total_bytes: int | None = Field(
        default=None, description="Of its accelerator, all there is; null without one."
    )
    resident_bytes: int | None = Field(
        default=None,
        description="Of the machine's memory in its engine's process now; null where that cannot be told.",
    )
    sources: int = Field(default=0, description="Sources that it remembers.")
    source_memory: list[SourceTier] = Field(default=[], description="Where, and how much, fastest first.")
    cell: InCell = None


class WorkerList(ResponseModel):
    """Workers that spoke lately, by name."""

    object: Literal["list"] = Field(default="list", description="What this is.")
    data: list[WorkerInfo] = Field(description="The workers.")
    unreached: Unreached = None


class JobInfo(ResponseModel):
    """A job without its texts and pictures."""

    object: Literal["job"] = Field(default="job", description="What this is.")
    id: str = Field(description="`ins_…`.")
    tenant: str = Field(description="Whose it is.")
    model: str = Field(description="What does it.")
    status: JobStatus = Field(description="How it is.")
    created_at: Timestamp = Field(description="When it was accepted.")
    completed_at: Timestamp | None = Field(description="When it ended.")
    attempts: int = Field(description="How often a worker started it.")
    crashes: int = Field(description="How often its worker died over it.")
    parent_id: str | None = Field(description="The job it was made from, a dead one if it replays it.")
    cell: InCell = None


class DeadLetterList(ResponseModel):
    """Jobs that failed as their workers crashed over them, the latest first."""

    object: Literal["list"] = Field(default="list", description="What this is.")
    data: list[JobInfo] = Field(description="The jobs.")
    unreached: Unreached = None


class ActInfo(ResponseModel):
    """Something an operator did."""

    at: Timestamp = Field(description="When.")
    by: str = Field(
        description="With which key: the first eight digits of its SHA-256; `uid …` on the service's machine."
    )
    what: str = Field(description="What, such as `pause`.")
    to: str = Field(description="To which tenant, model, worker, job or key.")
    before: dict[str, Any] | None = Field(description="What it changed; null where there was nothing before.")
    after: dict[str, Any] | None = Field(description="What it became; null where there is nothing now.")
    cell: InCell = None


class ActList(ResponseModel):
    """What operators did, the latest first."""

    object: Literal["list"] = Field(default="list", description="What this is.")
    data: list[ActInfo] = Field(description="The acts.")
    unreached: Unreached = None
