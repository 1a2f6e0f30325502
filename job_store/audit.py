"""Check the promises over records, streams, outbox and artifacts of a live system, or of one at rest.

`python -m job_store.audit redis://… --artifacts file://…`: a line per violation; the exit code is 1 if there
are any. What is under way while it is read can look wrong for a moment, so a violation counts if it is there
in each of several readings. Counts and turns are read in one moment each.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator

from redis import Redis

from api_schemas.jobs import TERMINAL, InsertionResult
from job_store.artifacts import ArtifactMissing, ArtifactStore, job_prefix
from job_store.connection import connect
from job_store.keys import Key
from job_store.records import pairs
from job_store.server import Server

Fields = dict[str, str]
READINGS = 4
PAUSE_SECONDS = 1.0  # longer than a job takes from its pictures to its end


def lasting_violations(redis: Redis, artifacts: ArtifactStore | None = None) -> list[str]:
    """Those of a live system: what `violations` says in each of `READINGS`. Raises StoreError."""
    found = violations(redis, artifacts)
    for _ in range(READINGS - 1):
        if found:
            time.sleep(PAUSE_SECONDS)
            again = set(violations(redis, artifacts))
            found = [sentence for sentence in found if sentence in again]
    return found


def violations(redis: Redis, artifacts: ArtifactStore | None = None) -> list[str]:
    """Everything that should not be, a sentence each, of files only if told where. Raises StoreError."""
    server = Server(redis)
    stored = set(artifacts.owners()) if artifacts else set()  # before the records: who has files had one
    jobs = _jobs(server)
    return [
        *_uncounted(server, jobs),
        *(f"{job_id}: {what}" for job_id, job in jobs.items() for what in _of_record(server, job_id, job)),
        *_strays(server, jobs),
        *_turns(server, jobs),
        *_lost_deliveries(server),
        *(_misplaced_files(server, artifacts, stored, jobs) if artifacts else ()),
    ]


def _jobs(server: Server) -> dict[str, Fields]:
    ids = [key.removeprefix(Key.JOB) for key in _keys(server, Key.JOB)]
    flats = {job_id: server.run("read", job_id)[0] for job_id in ids}
    return {job_id: pairs(flat) for job_id, flat in flats.items() if flat}


def _uncounted(server: Server, jobs: dict[str, Fields]) -> Iterator[str]:
    """accepted = succeeded + failed + canceled + expired + open, over all jobs there ever were."""
    flat, still_open = server.run("audit_counts")
    counts = {name: int(count) for name, count in pairs(flat).items()}
    present = Counter(job["status"] for job in jobs.values())
    accepted, ended = counts.get("accepted", 0), sum(counts.get(status, 0) for status in TERMINAL)
    if accepted != ended + still_open:
        yield f"{accepted - ended - still_open} jobs accepted are neither ended nor open"
    for status in TERMINAL:
        if present[status] > counts.get(status, 0):
            yield f"{present[status]} jobs are {status}, but {counts.get(status, 0)} became so"


def _of_record(server: Server, job_id: str, job: Fields) -> Iterator[str]:
    status, ended = job["status"], job["status"] in TERMINAL
    events = [fields[b"type"] for _, fields in server.command("XRANGE", Key.EVENTS + job_id, "-", "+")]
    delivery = server.command("EXISTS", f"{Key.DELIVERY}default/{job['tenant']}/msg_{job_id}")
    found_and_expected = {
        "ends": (int(job["ends"]), int(ended)),
        "commits": (int(job["commits"]), int(status == "succeeded")),
        "results": (int("result" in job), int(status == "succeeded")),
        "completed events": (events.count(b"completed"), int(ended)),
        "webhooks": (delivery, int(f"insertion.{status} " in job["webhook_events"])),
    }
    for index, belongs in _indexes(job).items():
        stands = server.command("ZSCORE", index, job_id) is not None
        found_and_expected[f"entries in {index}"] = (int(stands), int(belongs))
    for what, (found, expected) in found_and_expected.items():
        if found != expected:
            yield f"is {status} and has {found} {what}, not {expected}"


def _indexes(job: Fields) -> dict[str, bool]:
    """In which sorted sets a job stands."""
    status, ended = job["status"], job["status"] in TERMINAL
    return {
        Key.READY + job["model"]: status == "queued",
        f"{Key.LINE}{job['model']}:{job['tenant']}": status == "queued",
        Key.RUNNING + job["tenant"]: status == "running",
        Key.LEASES: status == "running",
        Key.DEADLINES: not ended,
        Key.DELETIONS: ended,
        Key.TENANT + job["tenant"]: True,
    }


def _strays(server: Server, jobs: dict[str, Fields]) -> Iterator[str]:
    """Entries whose record is gone."""
    prefixes = (Key.READY, Key.LINE, Key.RUNNING, Key.TENANT)
    lists = [key for prefix in prefixes for key in _keys(server, prefix)]
    for index in (*lists, Key.LEASES, Key.DEADLINES, Key.DELETIONS, Key.DEAD):
        for member in server.command("ZRANGE", index, 0, -1):
            if member.decode() not in jobs:
                yield f"{member.decode()}: stands in {index} without a record"


def _turns(server: Server, jobs: dict[str, Fields]) -> Iterator[str]:
    """Whose jobs wait has one turn in their line, unless as many run as may; nobody else has one."""
    lines = {(job["model"], job["tenant"]) for job in jobs.values() if job["status"] == "queued"}
    for index in (Key.TURNS, Key.BULK_TURNS):
        for key in _keys(server, index):
            members = server.command("ZRANGE", key, 0, -1)
            lines |= {(key.removeprefix(index), tenant.decode()) for tenant in members}
    for model, tenant in sorted(lines):
        waiting, turns, at_cap = server.run("audit_turns", model, tenant)
        if turns > min(1, waiting):
            yield f"{tenant}: has {turns} turns at {model}"
        if waiting and not turns and not at_cap:
            yield f"{tenant}: waits for {model} without a turn"


def _lost_deliveries(server: Server) -> Iterator[str]:
    """What is pending is in the outbox, and nothing else is."""
    due = {member.decode() for member in server.command("ZRANGE", Key.OUTBOX, 0, -1)}
    for key in _keys(server, Key.DELIVERY):
        delivery, state = key.removeprefix(Key.DELIVERY), server.command("HGET", key, "state")
        if (state == b"pending") != (delivery in due):
            yield f"{delivery}: is {state.decode()} and {'' if delivery in due else 'not '}in the outbox"


def _misplaced_files(
    server: Server, artifacts: ArtifactStore, stored: set[str], jobs: dict[str, Fields]
) -> Iterator[str]:
    """Every job's files are those it should have, and nobody else has any. `stored`: prefixes with files."""
    prefixes = {job_prefix(job["tenant"], job_id): job_id for job_id, job in jobs.items()}
    for prefix, job_id in prefixes.items():
        keys = artifacts.keys(prefix) if prefix in stored else []
        for what in _of_files(artifacts, jobs[job_id], prefix, keys):
            yield f"{job_id}: {what}"
    purges = server.command("SMEMBERS", Key.PURGES)
    purged = {job_prefix(*member.decode().split("/")) for member in purges}
    for prefix in sorted(stored - set(prefixes) - purged):
        if prefix.endswith("/"):
            yield f"{prefix}: files without a record"


def _of_files(artifacts: ArtifactStore, job: Fields, prefix: str, keys: list[str]) -> Iterator[str]:
    """A success has all files that its result names, beside no other attempt's; other ends have none of any.

    Files outside of the attempts' folders, masks and latents of the source, came with the request.
    """
    named = set(_named_keys(job))
    for key in sorted(named.difference(keys)):
        if not _is_stored(artifacts, key):
            yield f"{key} is in its result and not stored"
    if job["status"] in TERMINAL:
        found, own = ({key.removeprefix(prefix).rpartition("/")[0] for key in some} for some in (keys, named))
        for attempt in sorted(found - own - {""}):
            yield f"is {job['status']} and has files of another attempt, {attempt}"


def _named_keys(job: Fields) -> Iterator[str]:
    """The artifact keys that a job's result names."""
    if "result" not in job:
        return
    result = InsertionResult.model_validate_json(job["result"])
    for part in (result, *result.images):
        for name, value in part:
            if name.endswith("url") and value is not None:
                yield str(value)


def _is_stored(artifacts: ArtifactStore, key: str) -> bool:
    try:
        return artifacts.size(key) > 0
    except ArtifactMissing:
        return False


def _keys(server: Server, prefix: str) -> list[str]:
    found: set[str] = set()
    cursor = None
    while cursor != 0:
        cursor, keys = server.command("SCAN", cursor or 0, "MATCH", f"{prefix}*", "COUNT", 500)
        found.update(key.decode() for key in keys)
    return sorted(found)


def main() -> int:
    """Print the violations."""
    parser = argparse.ArgumentParser(prog="python -m job_store.audit", description=__doc__)
    parser.add_argument("redis_url")
    parser.add_argument("--artifacts", metavar="URL", help="as in ADDIT_ARTIFACT_URL; none: not looked at")
    asked = parser.parse_args()
    with connect(asked.redis_url) as redis:
        found = lasting_violations(redis, ArtifactStore(asked.artifacts) if asked.artifacts else None)
    sys.stdout.writelines(f"{line}\n" for line in found)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
