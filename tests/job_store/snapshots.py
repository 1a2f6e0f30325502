"""A store with jobs in every state, as one release leaves it: made, written down, put into another server.

`python -m tests.job_store.snapshots > tests/data/records/N.json`; N: the schema of its records.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from api_schemas.errors import JobError
from job_store.connection import connect
from job_store.jobs import JobStore
from job_store.keys import Key
from job_store.records import Idempotency, JobRecord
from runtime.valkey import embedded_valkey
from tests.job_store.samples import LEASE_MS, MODEL, PROGRESS, TENANT, WORKER, must, new_job, result

FOLDER = Path(__file__).parents[1] / "data" / "records"
TIMES = ("created_at", "started_at", "completed_at", "deadline_at", "delete_at")
BY_TIME = (Key.LEASES, Key.DEADLINES, Key.DELETIONS)
ENDS = {"ends well": "succeeded", "fails": "failed", "is canceled": "canceled", "is late": "expired"}
Dump = dict[str, tuple[str, Any]]
"""By key, its type and value, as the server gives them."""


def fill(jobs: JobStore, redis: Any) -> dict[str, JobRecord]:
    """Jobs by what is said of them: the `ENDS`, `runs`, `waits`, `waits in bulk`."""
    made = {}
    for says in ENDS:
        made[says] = _ended(jobs, redis, says)
    jobs.submit(new_job(metadata={"says": "runs"}, deadline_seconds=86_400))
    claim = must(jobs.claim(MODEL, WORKER, LEASE_MS))
    jobs.report(claim.record.id, claim.token, PROGRESS)
    made["runs"] = claim.record
    for says, priority in (("waits", "interactive"), ("waits in bulk", "bulk")):
        job = new_job(priority=priority, deadline_seconds=86_400, webhook={"url": "https://example.com/"})
        made[says] = jobs.submit(job, Idempotency(says, "0" * 64))[0]
    return {says: jobs.get(record.id) for says, record in made.items()}


def _ended(jobs: JobStore, redis: Any, says: str) -> JobRecord:
    seconds = 1 if says == "is late" else 600
    job = new_job(metadata={"says": says}, retain_seconds=2_592_000, deadline_seconds=seconds)
    record, _ = jobs.submit(job)
    if says == "is canceled":
        return jobs.cancel(record.id, TENANT)
    if says == "is late":
        redis.zadd(Key.DEADLINES, {record.id: 0})
        jobs.sweep(2)
        return record
    claim = must(jobs.claim(MODEL, WORKER, LEASE_MS))
    if says == "fails":
        jobs.fail(record.id, claim.token, JobError(code="invalid_output", message="Empty."))
    else:
        jobs.commit(record.id, claim.token, result(f"t/{TENANT}/j/{record.id}/{claim.token}/0.png"), 10)
    return record


def dump(redis: Any) -> Dump:
    """Every key that the service owns; what ends soon by itself is left out."""
    read: dict[str, Callable[[bytes], Any]] = {
        "hash": lambda key: _texts(redis.hgetall(key)),
        "string": lambda key: _text(redis.get(key)),
        "set": lambda key: sorted(_text(one) for one in redis.smembers(key)),
        "list": lambda key: [_text(one) for one in redis.lrange(key, 0, -1)],
        "zset": lambda key: [[_text(one), score] for one, score in redis.zrange(key, 0, -1, withscores=True)],
        "stream": lambda key: [[_text(at), _texts(told)] for at, told in redis.xrange(key)],
    }
    found = {}
    for key in sorted(redis.scan_iter("addit:*")):
        kind = redis.type(key).decode()
        found[key.decode()] = (kind, read[kind](key))
    return found


def load(redis: Any, dumped: Dump) -> dict[str, str]:
    """Put it into an empty server, as if it had been written just now; job ids by what is said of them."""
    created = max(int(value["created_at"]) for key, (_, value) in dumped.items() if key.startswith(Key.JOB))
    later = int(time.time() * 1000) - created
    for key, (kind, value) in dumped.items():
        _WRITE[kind](redis, key, value)
        if key.startswith(Key.JOB):
            for name in set(TIMES) & value.keys():
                redis.hincrby(key, name, later)
        if key in BY_TIME:
            for member, score in value:
                redis.zadd(key, {member: score + later})
    return {says_of(value): key.removeprefix(Key.JOB) for key, (_, value) in dumped.items()
            if key.startswith(Key.JOB)}  # fmt: skip


def says_of(record: dict[str, str]) -> str:
    """What is said of a job."""
    request = json.loads(record["request"])
    waits = "waits in bulk" if request["priority"] == "bulk" else "waits"
    return str(request["metadata"].get("says", waits))


def read(name: str) -> Dump:
    """As it was written down."""
    found: Dump = json.loads((FOLDER / f"{name}.json").read_text())
    return found


_WRITE: dict[str, Any] = {
    "hash": lambda redis, key, value: redis.hset(key, mapping=value),
    "string": lambda redis, key, value: redis.set(key, value),
    "set": lambda redis, key, value: redis.sadd(key, *value),
    "list": lambda redis, key, value: redis.rpush(key, *value),
    "zset": lambda redis, key, value: redis.zadd(key, dict(value)),
    "stream": lambda redis, key, value: [redis.xadd(key, told, id=at) for at, told in value],
}


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _texts(pairs: Any) -> dict[str, str]:
    return {_text(name): _text(value) for name, value in pairs.items()}


def main() -> None:
    """Write down what this release leaves."""
    with tempfile.TemporaryDirectory() as folder, embedded_valkey(Path(folder)) as valkey:
        with connect(valkey.url) as redis:
            fill(JobStore(redis), redis)
            json.dump(dump(redis), sys.stdout, indent=1, sort_keys=True)
            sys.stdout.write("\n")


if __name__ == "__main__":
    main()
