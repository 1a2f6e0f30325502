"""The life of a job: queued -> running -> succeeded | failed | canceled | expired, every step one Lua script.

The scripts check state and attempt token and use the server's clock. A call whose answer was lost may be
repeated: submit goes by job id, claim and all that a worker says by token.
"""

from __future__ import annotations

import builtins
import hashlib
import secrets
from collections.abc import Sequence
from typing import cast

from redis import Redis

from api_schemas.errors import JobError
from api_schemas.events import Preview
from api_schemas.insertions import Source
from api_schemas.jobs import InsertionResult, JobStatus, Progress
from job_store.artifacts import job_prefix
from job_store.company import Company
from job_store.errors import NotFound
from job_store.keys import Key
from job_store.listing import ALL, Wanted
from job_store.records import (
    SCHEMA,
    Claim,
    Idempotency,
    JobRecord,
    NewJob,
    Swept,
    Wishes,
    decode,
    seeds_in,
    written,
)
from job_store.server import Server
from job_store.statistics import BOUNDS
from job_store.tenants import Limits, work_of

HEAD_START_MS = {"interactive": 0, "bulk": 60_000}  # a bulk job counts as submitted this much later
IDEMPOTENCY_MS = 24 * 3_600_000
DEADLINE_GRACE_MS = 10_000  # for the worker to end a late job itself
AHEAD_MS = 2_000  # of an earlier job, by one whose source the worker holds
REMEMBERED_MS = 3_600_000  # who ran a source last
SWEEP_LIMIT = 200  # of each kind in one pass, which blocks the server for some milliseconds
LIST_PAGE, LIST_SCANNED = 100, 1000  # records read at once, and for one answer


class JobStore:
    """All jobs. Safe to share between threads. Any call may raise StoreUnavailable."""

    def __init__(self, redis: Redis, max_queued: int = 10_000, usual_limits: Limits | None = None) -> None:
        self._server, self._max_queued = Server(redis), max_queued
        self._usual_limits = usual_limits or Limits()

    # for tenants

    def submit(self, job: NewJob, idempotency: Idempotency | None = None) -> tuple[JobRecord, bool]:
        """Accept a job, or find the one that the same key with the same body made before (then False).

        One of a scene becomes its newest step, and its head; the scene with all its steps is kept anew.
        Raises IdempotencyKeyReused, QueueFull, QuotaExceeded, RateLimited, SceneFull; NotFound where the
        scene is gone.
        """
        request = job.request
        accepted, job_id, flat = self._server.run(
            "submit",
            job.id,
            job.tenant,
            job.model,
            written(request),
            job.source_key or "",
            job.traceparent or "",
            job.parent_id or "",
            request.deadline_seconds * 1000,
            request.retain_seconds * 1000,
            HEAD_START_MS[request.priority],
            "".join(f"{event} " for event in request.webhook.events) if request.webhook else "",
            self._max_queued,
            hashlib.sha256(idempotency.key.encode()).hexdigest() if idempotency else "",
            idempotency.fingerprint if idempotency else "",
            IDEMPOTENCY_MS,
            job.source_id or source_id_of(job.tenant, job.model, job.source_key, request.source),
            job.replay or "",
            job.scene.scene_id if job.scene else "",
            job.scene.seed if job.scene and job.scene.seed is not None else "",
            job.work or work_of(request),
            job.shape or "",
            job.remembered_work or "",
            *_values(self._usual_limits),
            SCHEMA,
            job.size or "",
        )
        return decode(job_id.decode(), flat), bool(accepted)

    def check_room(self, model: str, tenant: str) -> None:
        """Whether a job would be accepted now. Raises QueueFull, QuotaExceeded, RateLimited."""
        self._server.run("admissible", model, tenant, self._max_queued)

    def replayed(self, tenant: str, idempotency: Idempotency) -> JobRecord | None:
        """The job that the same key with the same body made before. Raises IdempotencyKeyReused."""
        hashed = hashlib.sha256(idempotency.key.encode()).hexdigest()
        found = self._server.run("find_replay", tenant, hashed, idempotency.fingerprint)
        return decode(found[0].decode(), found[1]) if found else None

    def find(self, job_ids: Sequence[str]) -> builtins.list[JobRecord | None]:
        """Several at once, None for each that is gone; nobody asks whose they are."""
        return self._read([*job_ids])

    def get(self, job_id: str, tenant: str | None = None) -> JobRecord:
        """The job, if it is this tenant's (None: anybody's). Raises NotFound."""
        record = self._read([job_id])[0]
        if record is None or (tenant is not None and record.tenant != tenant):
            raise NotFound(job_id)
        return record

    def get_all(self, job_ids: Sequence[str]) -> builtins.list[JobRecord]:
        """Anybody's jobs by id, those that are gone left out."""
        return [record for record in self._read([*job_ids]) if record is not None]

    def list(
        self, tenant: str, limit: int = 20, before: str | None = None, wanted: Wanted = ALL
    ) -> tuple[builtins.list[JobRecord], str | None]:
        """A tenant's jobs, newest first, and the cursor to go on `before`, None at the end.

        Where `wanted` names a state or a parent, a page may be shorter than `limit` though more follow.
        Raises BadCursor.
        """
        found: builtins.list[JobRecord] = []
        for _ in range(LIST_SCANNED // LIST_PAGE):
            page = self._page(tenant, before, wanted)
            for record, before in page:
                if record is not None and wanted.takes(record):
                    found.append(record)
                if len(found) == limit:
                    return found, before
            if len(page) < LIST_PAGE:
                return found, None
        return found, before

    def cancel(self, job_id: str, tenant: str) -> JobRecord:
        """End a queued job now, ask the worker of a running one to stop; again is no error.

        A result that is committed before the worker saw the wish stands. Raises NotFound, WrongState.
        """
        return decode(job_id, self._server.run("cancel", job_id, tenant)[0])

    def drop_seed(
        self, job_id: str, tenant: str, seed: int, work: float, remembered_work: float | None = None
    ) -> JobRecord:
        """Have a job go on, or begin, without one of its seeds; without any left it is canceled.

        work, remembered_work: as in `NewJob`, of what is left, for a job that waits
        Once more is no error. A result that was made before the worker saw the wish stands. Raises NotFound,
        also for a seed that the job does not have, and WrongState.
        """
        found = self._server.run("drop_seed", job_id, tenant, seed, work, remembered_work or "")
        return decode(job_id, found[0])

    def delete(self, job_id: str, tenant: str) -> None:
        """Forget a job that does not run; `sweep` will name its artifacts, `ForgottenSources` its source.

        Raises NotFound, WrongState.
        """
        self._server.run("delete", job_id, tenant)

    # for workers

    def claim(
        self,
        model: str,
        worker: str,
        lease_ms: int,
        holds: Sequence[str] = (),
        patience_ms: int = 0,
        busy_patience_ms: int = 0,
        company: Company | None = None,
    ) -> Claim | None:
        """Start a job of a model's line under a fresh token; None if none may start.

        It is the first of the tenant that was served least by its weight (`tenants.work_of`), among those
        that may run more and whose first job is interactive or has waited `HEAD_START_MS`; other bulk jobs
        come after them.
        holds: sources (`JobRecord.source_id`) that the worker remembers; a job with one of them goes before
            those its tenant submitted up to `AHEAD_MS` earlier
        Jobs past their deadline end on the way. Nothing starts in a paused line. Raises WorkerDrained.
        What a newer release submitted and this one might not understand is left to a newer one's workers.
        A job younger than `patience_ms` is left to an idle worker that holds its source, one younger than
        `busy_patience_ms` to a busy one that will be free before another would have learned the source.
        Raises HeldElsewhere where nothing else may start.
        company: what the job must be like. Raises NoneFits where the one in turn is not, and nothing starts.
        """
        token = secrets.token_hex(16)
        bounds = AHEAD_MS, patience_ms, REMEMBERED_MS, SCHEMA, busy_patience_ms
        wanted = company.told() if company else ""
        claimed = self._server.run("claim", model, worker, lease_ms, token, *bounds, wanted, *holds)
        return Claim(decode(claimed[0].decode(), claimed[1]), token) if claimed else None

    def beat(self, job_id: str, token: str, lease_ms: int) -> Wishes:
        """Renew the lease to `lease_ms` from now; what the tenant wants. Raises StaleToken."""
        cancel, dropped = self._server.run("beat", job_id, token, lease_ms)
        return Wishes(bool(cancel), seeds_in(dropped.decode()))

    def report(self, job_id: str, token: str, progress: Progress) -> None:
        """Note how far it is: a `stage` event when that is a new one, else `progress`. Raises StaleToken."""
        self._server.run("report", job_id, token, progress.stage, progress.model_dump_json())

    def show(self, job_id: str, token: str, preview: Preview) -> None:
        """A `preview` event. `preview` holds an artifact key for a link. Raises StaleToken."""
        self._server.run("show", job_id, token, preview.model_dump_json())

    def commit(self, job_id: str, token: str, result: InsertionResult, denoise_steps: int = 0) -> None:
        """The job succeeded, after so many steps. `result` holds artifact keys. Raises StaleToken."""
        told = result.model_dump_json()
        bounds = (str(bound) for bound in BOUNDS)
        self._server.run("finish", job_id, token, "succeeded", "result", told, denoise_steps, *bounds)

    def fail(self, job_id: str, token: str, error: JobError) -> None:
        """The job failed. Raises StaleToken."""
        self._server.run("finish", job_id, token, "failed", "error", error.model_dump_json())

    def canceled(self, job_id: str, token: str) -> None:
        """The job was stopped as its tenant wished. Raises StaleToken."""
        self._server.run("finish", job_id, token, "canceled", "", "")

    def release(self, job_id: str, token: str, *, crashed: bool, max_crashes: int) -> JobStatus:
        """Give a job back undone: to its old place in the line, or to its end. The new status tells.

        It ends if its tenant canceled it, if workers crashed over it `max_crashes` times, or if it is
        late. Raises StaleToken.
        """
        status = self._server.run("release", job_id, token, int(crashed), max_crashes)[0]
        return cast(JobStatus, status.decode())

    def ready_count(self, model: str) -> int:
        """How many jobs wait for this model."""
        return int(self._server.command("ZCARD", Key.READY + model))

    def claimable_count(self, model: str) -> int:
        """How many of them might start now: not those of a paused line, or above their tenants' caps."""
        return int(self._server.run("claimable", model)[0])

    def models(self) -> builtins.list[str]:
        """The models that ever had a job."""
        return sorted(model.decode() for model in self._server.command("SMEMBERS", Key.MODELS))

    def models_with_ready(self) -> builtins.list[str]:
        """The models that jobs wait for."""
        return [model for model in self.models() if self.ready_count(model)]

    # for the reconciler

    def sweep(self, max_crashes: int) -> Swept:
        """One pass over what time has overtaken, leases, deadlines and retentions: `SWEEP_LIMIT` of each."""
        *ids, purges, leftovers = self._server.run("sweep", max_crashes, DEADLINE_GRACE_MS, SWEEP_LIMIT)
        prefixes = (
            *(job_prefix(*member.decode().split("/")) for member in purges),
            *(prefix.decode() for prefix in leftovers),
        )
        requeued, ended, deleted = (tuple(job_id.decode() for job_id in some) for some in ids)
        return Swept(requeued, ended, deleted, prefixes)

    def purged(self, prefix: str) -> None:
        """The artifacts under a prefix that `sweep` named are gone."""
        _, tenant, _, job_id, *attempt, _ = prefix.split("/")
        gone = (Key.LEFTOVERS, prefix) if attempt else (Key.PURGES, f"{tenant}/{job_id}")
        self._server.command("SREM", *gone)

    def purge_later(self, prefix: str) -> None:
        """Have `sweep` name the artifacts of an attempt that came to nothing."""
        self._server.command("SADD", Key.LEFTOVERS, prefix)

    def absent(self, prefixes: Sequence[str]) -> builtins.list[str]:
        """Those artifact prefixes whose job has no record; none in a store that never accepted a job."""
        by_id = {prefix.split("/")[3]: prefix for prefix in prefixes}
        return [by_id[job_id.decode()] for job_id in self._server.run("absent", *by_id)]

    def counts(self) -> dict[str, int]:
        """How many jobs were ever accepted, and how many ended in each way."""
        flat = self._server.command("HGETALL", Key.COUNTS)
        return {name.decode(): int(count) for name, count in flat.items()}

    def _read(self, job_ids: builtins.list[str]) -> builtins.list[JobRecord | None]:
        flats = self._server.run("read", *job_ids)
        return [decode(job_id, flat) if flat else None for job_id, flat in zip(job_ids, flats, strict=True)]

    def _page(
        self, tenant: str, before: str | None, wanted: Wanted
    ) -> builtins.list[tuple[JobRecord | None, str]]:
        """The next records of a tenant with their cursors, which are their times of submission."""
        line, bounds = Key.TENANT + tenant, wanted.bounds(before)
        flat = self._server.command(
            "ZRANGE", line, *bounds, "BYSCORE", "REV", "LIMIT", 0, LIST_PAGE, "WITHSCORES"
        )
        records = self._read([job_id.decode() for job_id in flat[::2]])
        return [*zip(records, (score.decode() for score in flat[1::2]), strict=True)]


def _values(limits: Limits) -> tuple[float, ...]:
    """As the scripts name them, in that order."""
    return limits.weight, limits.max_running, limits.max_queued, limits.per_minute


def source_id_of(tenant: str, model: str, source_key: str | None, source: Source) -> str:
    """The same for jobs whose source a worker may remember from one to the other."""
    told = f"{tenant} {model} {source_key} {source.model_dump_json()}"
    return hashlib.sha256(told.encode()).hexdigest()[:32]
