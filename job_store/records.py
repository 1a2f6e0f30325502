"""A job as the store knows it: what goes in, what comes out, and how its hash reads."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, cast

from pydantic import ValidationError

from api_schemas.errors import JobError
from api_schemas.insertions import InsertionRequest
from api_schemas.jobs import InsertionResult, JobStatus, Progress
from job_store.errors import StoreUnavailable

Replay = Literal["localizer", "mask"]
SCHEMA = 1
"""Of the records that this release submits; those of the release before say nothing, which is 0.

Raised when a record may ask for something that workers of the release before would not do, or do otherwise.
"""


@dataclass(frozen=True)
class ScenePlace:
    """The scene that a job is a step of. It builds upon the variation of its parent with this seed, upon the
    scene's first picture without a parent."""

    scene_id: str
    seed: int | None = None


@dataclass(frozen=True)
class NewJob:
    """A job to be accepted. Its deadline, retention, priority and webhook are those of the request.

    source_id: that of the job whose source it shares under a key of its own; None: by its own source
    replay: what of its parent is to be another: the localizer, or a mask that lies at `mask_key`
    work: forwards, what its tenant is charged for and times are estimated by; None: by its steps
    remembered_work: the same where a worker remembers its source
    shape: of `outlook.shape_of`, None where it is not known
    size: WIDTHxHEIGHT of its source, None where it is not known
    """

    id: str
    tenant: str
    model: str
    request: InsertionRequest
    source_key: str | None
    traceparent: str | None = None
    parent_id: str | None = None
    source_id: str | None = None
    replay: Replay | None = None
    work: float | None = None
    remembered_work: float | None = None
    shape: str | None = None
    scene: ScenePlace | None = None
    size: str | None = None


@dataclass(frozen=True)
class Idempotency:
    """A client's key for "do this once", and the SHA-256 of what it came with."""

    key: str
    fingerprint: str


@dataclass(frozen=True)
class JobRecord:
    """A job at one moment.

    source_key: artifact key of the taken-in picture, None for a generated source
    source_id: the same for jobs of a tenant with the same source
    started_at: when a worker first started it
    delete_at: when its record and artifacts go; set when it ends
    attempts, crashes: how often it was started, and how often its worker died over it
    result: its `*_url` fields hold artifact keys
    worker: who runs it, or who ran it last before it ended
    replay: what it changes of its parent's mask, None for any other job
    work: what it was charged for when it started, until then as in `NewJob`
    shape, size: as in `NewJob`
    scene_id: the scene that it is a step of
    dropped_seeds: seeds of its request that its tenant wants no more, in the order of the wishes
    ready_at, claimed_at: since when it waited for its present or last attempt, and when that began
    """

    id: str
    tenant: str
    model: str
    status: JobStatus
    request: InsertionRequest
    source_key: str | None
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    deadline_at: datetime
    delete_at: datetime | None
    attempts: int
    crashes: int
    progress: Progress | None
    result: InsertionResult | None
    error: JobError | None
    cancel_requested: bool
    worker: str | None
    parent_id: str | None
    traceparent: str | None
    source_id: str
    replay: Replay | None
    work: float
    shape: str | None
    scene_id: str | None = None
    ready_at: datetime | None = None
    claimed_at: datetime | None = None
    dropped_seeds: tuple[int, ...] = ()
    size: str | None = None


@dataclass(frozen=True)
class Claim:
    """A running job and the token that its attempt proves itself with."""

    record: JobRecord
    token: str


@dataclass(frozen=True)
class Wishes:
    """What the tenant of a running job wants of it by now. `dropped`: as `JobRecord.dropped_seeds`."""

    cancel: bool
    dropped: tuple[int, ...] = ()


@dataclass(frozen=True)
class Swept:
    """What one pass of the reconciler did: job ids, and the artifact prefixes to remove now.

    Prefixes come again with every pass until `JobStore.purged` is told about them.
    """

    requeued: tuple[str, ...]
    ended: tuple[str, ...]
    deleted: tuple[str, ...]
    prefixes: tuple[str, ...]


def moment(milliseconds: str | bytes | int) -> datetime:
    """A time of the server's clock."""
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)


def pairs(flat: Sequence[bytes]) -> dict[str, str]:
    """A hash from the list of its fields and values in turn."""
    words = [word.decode() for word in flat]
    return dict(zip(words[::2], words[1::2], strict=True))


def seeds_in(words: str) -> tuple[int, ...]:
    """As the scripts write them, with blanks between."""
    return tuple(map(int, words.split()))


def written(request: InsertionRequest) -> str:
    """The request as records hold it: LoRAs by name, as the release before reads them."""
    told = request.model_dump(mode="json")
    return json.dumps(told | {"loras": request.lora_scales()}, ensure_ascii=False, separators=(",", ":"))


def decode(job_id: str, flat: Sequence[bytes]) -> JobRecord:
    """The record from its hash. An empty field is like an absent one; one that only a newer release knows is
    passed over here and stays where it is. Raises StoreUnavailable for what only a newer release can read."""
    fields = {name: value for name, value in pairs(flat).items() if value}
    try:
        return _decode(job_id, fields)
    except ValidationError as error:
        if int(fields.get("schema", "0")) <= SCHEMA:
            raise
        raise StoreUnavailable(f"{job_id} is of a newer release") from error


def _decode(job_id: str, fields: Mapping[str, str]) -> JobRecord:

    def time(name: str) -> datetime | None:
        return moment(fields[name]) if name in fields else None

    return JobRecord(
        id=job_id,
        tenant=fields["tenant"],
        model=fields["model"],
        status=cast(JobStatus, fields["status"]),
        request=InsertionRequest.model_validate_json(fields["request"], extra="ignore"),
        source_key=fields.get("source_key"),
        created_at=moment(fields["created_at"]),
        started_at=time("started_at"),
        completed_at=time("completed_at"),
        deadline_at=moment(fields["deadline_at"]),
        delete_at=time("delete_at"),
        attempts=int(fields["attempts"]),
        crashes=int(fields["crashes"]),
        progress=Progress.model_validate_json(fields["progress"]) if "progress" in fields else None,
        result=InsertionResult.model_validate_json(fields["result"]) if "result" in fields else None,
        error=JobError.model_validate_json(fields["error"]) if "error" in fields else None,
        cancel_requested="cancel_requested" in fields,
        worker=fields.get("worker"),
        parent_id=fields.get("parent_id"),
        traceparent=fields.get("traceparent"),
        source_id=fields.get("source_id", ""),
        replay=cast(Replay | None, fields.get("replay")),
        work=float(fields.get("charged") or fields.get("work", "1")),
        shape=fields.get("shape"),
        scene_id=fields.get("scene_id"),
        ready_at=time("ready_at") or moment(fields["created_at"]),
        claimed_at=time("claimed_at"),
        dropped_seeds=seeds_in(fields.get("dropped_seeds", "")),
        size=fields.get("size"),
    )
