"""Check the promises over all records: `python -m job_store.audit redis://…`. Meant for a store at rest.

A line per violation; the exit code is 1 if there are any.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator

from redis import Redis

from api_schemas.jobs import TERMINAL
from job_store.connection import connect
from job_store.keys import Key
from job_store.records import pairs
from job_store.server import Server

Fields = dict[str, str]


def violations(redis: Redis) -> list[str]:
    """Everything that should not be, a sentence each. Raises StoreUnavailable."""
    server = Server(redis)
    jobs = _jobs(server)
    return [
        *_uncounted(server, jobs),
        *(f"{job_id}: {what}" for job_id, job in jobs.items() for what in _of_record(server, job_id, job)),
        *_strays(server, jobs),
        *_turns(server, jobs),
        *_lost_deliveries(server),
    ]


def _jobs(server: Server) -> dict[str, Fields]:
    ids = [key.removeprefix(Key.JOB) for key in _keys(server, Key.JOB)]
    flats = {job_id: server.run("read", job_id)[0] for job_id in ids}
    return {job_id: pairs(flat) for job_id, flat in flats.items() if flat}


def _uncounted(server: Server, jobs: dict[str, Fields]) -> Iterator[str]:
    """accepted = succeeded + failed + canceled + expired + open, over all jobs there ever were."""
    counts = {name.decode(): int(count) for name, count in server.command("HGETALL", Key.COUNTS).items()}
    present = Counter(job["status"] for job in jobs.values())
    accepted, ended = counts.get("accepted", 0), sum(counts.get(status, 0) for status in TERMINAL)
    still_open = present["queued"] + present["running"]
    if accepted != ended + still_open:
        yield f"{accepted} jobs accepted, but {ended} ended and {still_open} are open"
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
    waiting = {(job["model"], job["tenant"]) for job in jobs.values() if job["status"] == "queued"}
    turns = [
        (key.removeprefix(index), tenant.decode())
        for index in (Key.TURNS, Key.BULK_TURNS)
        for key in _keys(server, index)
        for tenant in server.command("ZRANGE", key, 0, -1)
    ]
    for (model, tenant), count in Counter(turns).items():
        if count > 1 or (model, tenant) not in waiting:
            yield f"{tenant}: has {count} turns at {model}"
    for model, tenant in waiting - set(turns):
        if not server.run("at_cap", tenant)[0]:
            yield f"{tenant}: waits for {model} without a turn"


def _lost_deliveries(server: Server) -> Iterator[str]:
    """What is pending is in the outbox, and nothing else is."""
    due = {member.decode() for member in server.command("ZRANGE", Key.OUTBOX, 0, -1)}
    for key in _keys(server, Key.DELIVERY):
        delivery, state = key.removeprefix(Key.DELIVERY), server.command("HGET", key, "state")
        if (state == b"pending") != (delivery in due):
            yield f"{delivery}: is {state.decode()} and {'' if delivery in due else 'not '}in the outbox"


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
    with connect(parser.parse_args().redis_url) as redis:
        found = violations(redis)
    sys.stdout.writelines(f"{line}\n" for line in found)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
