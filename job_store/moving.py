"""A tenant goes from one cell to another: all that is known of it and its pictures, copied, then forgotten.

Nothing may be asked of either cell in its name meanwhile, and none of its jobs may wait or run: gateways that
have `ADDIT_MOVED_TENANTS={"TENANT": ""}` see to the first, the second is judged here. Steps may be repeated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from redis import Redis

from api_schemas.jobs import TERMINAL
from job_store.artifacts import ArtifactStore
from job_store.errors import StoreError
from job_store.keys import Key
from job_store.purging import purge_tenant
from job_store.records import pairs
from job_store.server import Server

AT_ONCE = 200
"""Keys in one round trip."""


class NotIdle(StoreError):
    """Jobs of the tenant wait or run: their workers would go on in the cell that it leaves."""

    def __init__(self, queued: int, running: int) -> None:
        super().__init__(f"{queued} of its jobs wait and {running} run; wait for them, or cancel them")


@dataclass(frozen=True)
class Place:
    """A cell as its workers know it."""

    redis: Redis
    artifacts: ArtifactStore


@dataclass(frozen=True)
class Moved:
    """How much was copied."""

    jobs: int
    keys: int
    pictures: int


def copy_tenant(tenant: str, source: Place, target: Place) -> Moved:
    """All that it has, as it is now. Raises NotIdle, StoreUnavailable, ArtifactError."""
    server = Server(source.redis)
    queued, running, _ = server.run("read_tenant", tenant)
    if queued or running:
        raise NotIdle(queued, running)
    pictures = [_copy_picture(key, source, target) for key in source.artifacts.keys(f"t/{tenant}/")]
    jobs = _ids(server, Key.TENANT + tenant)
    _count(jobs, server, Server(target.redis))
    copied = sum(_copy(batch, source.redis, target.redis) for batch in _batches(_keys(server, tenant)))
    _enlist(tenant, jobs, server, Server(target.redis))
    return Moved(len(jobs), copied, len(pictures))


def tenants_of(redis: Redis) -> set[str]:
    """All that a store knows of: who submitted a job, has limits or API keys."""
    server = Server(redis)
    keyed = (key.decode().removeprefix(Key.API_KEYS) for key in _scan(server, f"{Key.API_KEYS}*"))
    return {*_members(server, Key.TENANTS), *keyed}


def forget_tenant(tenant: str, place: Place) -> int:
    """What a cell still has of a tenant that left it, what its workers remember included; how many keys."""
    server = Server(place.redis)
    kept = [*_keys(server, tenant)]
    outbox = [*_deliveries(server, tenant)]
    purge_tenant(place.redis, tenant, keys=True)  # jobs and pictures as ever: workers hear of it
    for batch in _batches(kept):
        server.command("DEL", *batch)
    for batch in _batches(outbox):
        server.command("ZREM", Key.OUTBOX, *batch)
    server.command("SREM", Key.TENANTS, tenant)
    return len(kept)


def _copy_picture(key: str, source: Place, target: Place) -> str:
    target.artifacts.put(key, source.artifacts.get(key))
    return key


def _copy(keys: list[str], source: Redis, target: Redis) -> int:
    """Those that are there, with the time they have left."""
    reading = source.pipeline(transaction=False)
    for key in keys:
        reading.dump(key)
        reading.pttl(key)
    told: list[Any] = reading.execute()
    writing = target.pipeline(transaction=False)
    found = [(key, value, ttl) for key, value, ttl in zip(keys, told[::2], told[1::2], strict=True) if value]
    for key, value, ttl in found:
        writing.restore(key, max(0, ttl), value, replace=True)
    writing.execute()
    return len(found)


def _enlist(tenant: str, jobs: list[str], source: Server, target: Server) -> None:
    """The tenant's places in what a store has of all tenants together."""
    shared = [
        *((line, job) for line in (Key.DELETIONS, Key.DEAD) for job in jobs),
        *((Key.OUTBOX, delivery) for delivery in _deliveries(source, tenant)),
        *((Key.IMAGES, f"{tenant}/{image}") for image in _images(source, tenant)),
    ]
    for line, member in shared:
        score = source.command("ZSCORE", line, member)
        if score is not None:
            target.command("ZADD", line, score, member)
    target.command("SADD", Key.TENANTS, tenant)


def _count(jobs: list[str], source: Server, target: Server) -> None:
    """Jobs that are new here count as accepted and ended here too: before they come, so that there are never
    more of them than were counted."""
    ended: Counter[str] = Counter()
    for job in jobs:
        record = pairs(source.run("read", job)[0])
        if record.get("status") in TERMINAL and not target.command("EXISTS", Key.JOB + job):
            ended[record["status"]] += 1
            target.command("SADD", Key.MODELS, record["model"])
    for status, count in ended.items():
        target.command("HINCRBY", Key.COUNTS, status, count)
        target.command("HINCRBY", Key.COUNTS, "accepted", count)


def _keys(server: Server, tenant: str) -> Iterator[str]:
    """All that are the tenant's alone."""
    yield from (
        beginning + tenant
        for beginning in (
            Key.LIMITS,
            Key.RATE,
            Key.TENANT,
            Key.API_KEYS,
            Key.WEBHOOK_ENDPOINTS,
            Key.SCENES,
            Key.BATCHES,
        )
    )
    for beginning in (Key.USAGE, Key.IDEMPOTENCY):
        yield from (key.decode() for key in _scan(server, f"{beginning}{tenant}:*"))
    of_each = {
        (Key.JOB, Key.EVENTS): _ids(server, Key.TENANT + tenant),
        (Key.SCENE, Key.SCENE_STEPS): _ids(server, Key.SCENES + tenant),
        (Key.BATCH, Key.BATCH_LINES): _ids(server, Key.BATCHES + tenant),
        (Key.API_KEY,): _members(server, Key.API_KEYS + tenant),
        (Key.WEBHOOK_ENDPOINT, Key.DELIVERIES): _endpoints(server, tenant),
        (Key.DELIVERY, Key.ATTEMPTS): [*_deliveries(server, tenant)],
        (Key.IMAGE,): [*_images(server, tenant)],
    }
    for beginnings, ids in of_each.items():
        yield from (beginning + one for one in ids for beginning in beginnings)


def _endpoints(server: Server, tenant: str) -> list[str]:
    return [f"default/{tenant}", *_members(server, Key.WEBHOOK_ENDPOINTS + tenant)]


def _deliveries(server: Server, tenant: str) -> Iterator[str]:
    for endpoint in _endpoints(server, tenant):
        yield from (f"{endpoint}/{message}" for message in _ids(server, Key.DELIVERIES + endpoint))


def _images(server: Server, tenant: str) -> Iterator[str]:
    cursor = None
    while cursor != 0:
        cursor, found = server.command("ZSCAN", Key.IMAGES, cursor or 0, "MATCH", f"{tenant}/*", "COUNT", 500)
        yield from (member.decode().partition("/")[2] for member, _ in found)


def _scan(server: Server, pattern: str) -> Iterator[bytes]:
    cursor = None
    while cursor not in (0, b"0"):
        cursor, found = server.command("SCAN", cursor or 0, "MATCH", pattern, "COUNT", 1000)
        yield from found


def _ids(server: Server, line: str) -> list[str]:
    return [member.decode() for member in server.command("ZRANGE", line, 0, -1)]


def _members(server: Server, name: str) -> list[str]:
    return [member.decode() for member in server.command("SMEMBERS", name)]


def _batches(keys: Iterable[str]) -> Iterator[list[str]]:
    left = iter(keys)
    while batch := [*islice(left, AT_ONCE)]:
        yield batch
