"""What came of it: whether anything is lost or doubled, and how long each fault kept anybody waiting."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from api_schemas.jobs import TERMINAL
from bench.chaos.faults import Kind
from bench.chaos.receiver import Receiver
from bench.chaos.traffic import TALLY, Book
from job_store.artifacts import job_prefix
from job_store.records import JobRecord


@dataclass(frozen=True)
class Struck:
    """A fault that was. at: Unix seconds; job_id: what its worker had in hand, where that is known."""

    at: float
    kind: Kind
    target: str
    job_id: str | None = None


@dataclass(frozen=True)
class Verdict:
    """lost, doubled: sentences; strays: files of attempts that did not end their job."""

    accepted: int
    finished: Mapping[str, int]
    lost: Sequence[str]
    doubled: Sequence[str]
    strays: Sequence[str]
    attempts: Mapping[int, int] = field(default_factory=dict)


def judge(book: Book, receiver: Receiver, records: Sequence[JobRecord], artifacts: Path) -> Verdict:
    """Compare what clients and receiver were told with what is there."""
    by_id = {record.id: record for record in records}
    return Verdict(
        accepted=len(records),
        finished=Counter(record.status for record in records),
        lost=[*_lost(book, by_id), *_untold(receiver, records), *_incomplete(records, artifacts)],
        doubled=[*_doubled_orders(book, records), *_doubled_messages(receiver)],
        strays=[stray for record in records for stray in _strays(record, artifacts)],
        attempts=Counter(record.attempts for record in records),
    )


def _lost(book: Book, by_id: Mapping[str, JobRecord]) -> Iterable[str]:
    for number, job_id in book.accepted.items():
        record = by_id.get(job_id)
        if record is None:
            yield f"order {number}: accepted as {job_id}, which is gone"
        elif record.status not in TERMINAL:
            yield f"order {number}: {job_id} is still {record.status}"
        elif book.seen.get(job_id) != record.status:
            yield f"order {number}: {job_id} was seen {book.seen.get(job_id)} and is {record.status}"


def _untold(receiver: Receiver, records: Iterable[JobRecord]) -> Iterable[str]:
    for record in records:
        if record.id not in receiver.taken:
            yield f"{record.id}: its webhook never came"


def _incomplete(records: Iterable[JobRecord], artifacts: Path) -> Iterable[str]:
    for record in records:
        for image in record.result.images if record.result else ():
            for key in (image.url, image.mask_url):
                if key is not None and not (artifacts / key).is_file():
                    yield f"{record.id}: {key} is missing"


def _doubled_orders(book: Book, records: Iterable[JobRecord]) -> Iterable[str]:
    jobs = defaultdict[int, list[str]](list)
    for record in records:
        jobs[record.request.metadata[TALLY]].append(record.id)
    for number, job_ids in jobs.items():
        if len(job_ids) > 1:
            yield f"order {number}: {', '.join(job_ids)}"


def _doubled_messages(receiver: Receiver) -> Iterable[str]:
    for job_id, ids in receiver.taken.items():
        if len(ids) > 1:
            yield f"{job_id}: webhooks {', '.join(sorted(ids))}"


def _strays(record: JobRecord, artifacts: Path) -> Iterable[str]:
    """Attempts with files beside the one that the result names."""
    named = {image.url.split("/")[4] for image in record.result.images} if record.result else set()
    for attempt in (artifacts / job_prefix(record.tenant, record.id)).glob("*/"):
        if attempt.name not in named and any(attempt.iterdir()):
            yield f"{record.id}: {attempt.name}"


def recovery(
    struck: Struck, jobs: Iterable[tuple[float, JobRecord]], webhooks: Iterable[float]
) -> float | None:
    """Seconds from a fault until the next success that it could have blocked; None if there was none.

    jobs: with the moment that its client first asked, Unix seconds; webhooks: when they came
    """
    if struck.kind.blocks == "webhooks":
        return min((at - struck.at for at in webhooks if at > struck.at), default=None)
    after = [
        record.completed_at.timestamp() - struck.at
        for asked_at, record in jobs
        if record.completed_at is not None
        and record.status == "succeeded"
        and (record.id == struck.job_id if struck.job_id else asked_at >= struck.at)
    ]
    return min((seconds for seconds in after if seconds > 0), default=None)
