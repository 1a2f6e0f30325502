"""Much removed at once: all that a tenant has, all that waits for a model. In steps, as each blocks Valkey.

What comes in meanwhile stays. Pictures go as ever, with the reconciler's next passes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from redis import Redis

from job_store.api_keys import ApiKeys
from job_store.errors import NotFound
from job_store.images import ImageStore
from job_store.keys import Key
from job_store.scenes import SceneStore
from job_store.server import Server

JOBS_A_STEP = 200


@dataclass(frozen=True)
class Purged:
    """How much is gone. stopping: jobs that run, and go as soon as they have stopped."""

    jobs: int
    stopping: int
    scenes: int
    batches: int
    images: int
    keys: int


def purge_tenant(redis: Redis, tenant: str, *, keys: bool) -> Purged:
    """Forget a tenant's batches, scenes, jobs and pictures; its keys too if asked for, before all else.

    Limits, webhook endpoints and what was used stay. May be repeated. Raises StoreUnavailable.
    """
    revoked = _revoke(ApiKeys(redis), tenant) if keys else 0
    server = Server(redis)
    batches = _batches(server, tenant)
    scenes, steps = _scenes(server, SceneStore(redis), tenant)
    counts = [server.run("forget_jobs", tenant, *page) for page in _jobs(server, tenant)]
    return Purged(
        jobs=steps + sum(gone for gone, _ in counts),
        stopping=sum(stopping for _, stopping in counts),
        scenes=scenes,
        batches=batches,
        images=_images(server, ImageStore(redis), tenant),
        keys=revoked,
    )


def cancel_waiting(redis: Redis, model: str) -> int:
    """Cancel as many jobs as wait for a model now; how many that were. Raises StoreUnavailable."""
    server, canceled = Server(redis), 0
    left = int(server.command("ZCARD", Key.READY + model))
    while left > 0:
        ended, seen = server.run("cancel_waiting", model, min(left, JOBS_A_STEP))
        if not seen:
            break
        canceled, left = canceled + ended, left - seen
    return canceled


def _revoke(api_keys: ApiKeys, tenant: str) -> int:
    found = api_keys.list(tenant)
    for key in found:
        with suppress(NotFound):
            api_keys.revoke(key.id)
    return len(found)


def _batches(server: Server, tenant: str) -> int:
    count = 0
    for batch_id in server.command("ZRANGE", Key.BATCHES + tenant, 0, -1):
        with suppress(NotFound):  # its time was over
            server.run("delete_batch", batch_id.decode(), tenant)
            count += 1
    return count


def _scenes(server: Server, scenes: SceneStore, tenant: str) -> tuple[int, int]:
    """(scenes, jobs) that are gone."""
    count = steps = 0
    for scene_id in server.command("ZRANGE", Key.SCENES + tenant, 0, -1):
        with suppress(NotFound):  # its time was over
            steps += len(scenes.delete(scene_id.decode(), tenant))
            count += 1
    return count, steps


def _jobs(server: Server, tenant: str) -> Iterator[list[str]]:
    """The ids of all jobs that there are now, oldest first."""
    line, after = Key.TENANT + tenant, "-inf"
    newest = server.command("ZRANGE", line, -1, -1, "WITHSCORES")[1:]
    while newest:
        bounds = after, newest[0].decode(), "BYSCORE", "LIMIT", 0, JOBS_A_STEP, "WITHSCORES"
        flat = server.command("ZRANGE", line, *bounds)
        if not flat:
            return
        yield [job_id.decode() for job_id in flat[::2]]
        after = f"({flat[-1].decode()}"


def _images(server: Server, images: ImageStore, tenant: str) -> int:
    count, cursor = 0, None
    while cursor != 0:
        cursor, found = server.command("ZSCAN", Key.IMAGES, cursor or 0, "MATCH", f"{tenant}/*", "COUNT", 500)
        for member, _ in found:
            with suppress(NotFound):  # its time was over
                images.delete(member.decode().partition("/")[2], tenant)
                count += 1
    return count
