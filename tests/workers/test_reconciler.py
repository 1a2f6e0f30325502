"""What a pass puts right."""

from __future__ import annotations

from pathlib import Path

import pytest
from redis import Redis

from job_store import tickets
from job_store.artifacts import ArtifactStore, image_key, job_prefix
from job_store.images import ImageStore
from job_store.jobs import JobStore
from job_store.keys import Key
from runtime.valkey import EmbeddedValkey
from tests.job_store.samples import MODEL, TENANT, must, new_job, pass_time
from tests.workers.fleet import short
from workers.reconciler import Reconciler


@pytest.fixture
def reconciler(redis: Redis, valkey: EmbeddedValkey, tmp_path: Path) -> Reconciler:
    return Reconciler(short(valkey.url, tmp_path), redis)


def test_every_ready_record_gets_a_ticket_and_no_more(reconciler: Reconciler, redis: Redis) -> None:
    jobs = JobStore(redis)
    for _ in range(3):
        jobs.submit(new_job())
    for _ in range(2):
        reconciler.reconcile_once()
        assert tickets.queue(redis, MODEL).count == 3


def test_a_record_whose_worker_went_silent_is_taken_back(reconciler: Reconciler, redis: Redis) -> None:
    jobs = JobStore(redis)
    jobs.submit(new_job())
    claim = must(jobs.claim(MODEL, "worker-1", lease_ms=1000))
    reconciler.reconcile_once()
    assert jobs.get(claim.record.id).status == "running"
    pass_time(redis, claim.record.id, 1001)
    reconciler.reconcile_once()
    assert jobs.get(claim.record.id).status == "queued"
    assert tickets.queue(redis, MODEL).count == 1


def test_expired_jobs_and_pictures_go_with_their_artifacts(
    reconciler: Reconciler, redis: Redis, valkey: EmbeddedValkey, tmp_path: Path
) -> None:
    jobs, images = JobStore(redis), ImageStore(redis)
    artifacts = ArtifactStore(short(valkey.url, tmp_path).artifact_url)
    record, _ = jobs.submit(new_job(retain_seconds=60))
    jobs.cancel(record.id, TENANT)
    images.add("img_1", TENANT, width=8, height=8, sha256="0" * 64, seconds=60)
    kept = images.add("img_2", TENANT, width=8, height=8, sha256="0" * 64, seconds=60)
    for key in (f"{job_prefix(TENANT, record.id)}a/0.png", image_key(TENANT, "img_1"), kept.key):
        artifacts.put(key, b"picture")
    pass_time(redis, record.id, 61_000)
    redis.zincrby(Key.IMAGES, -61_000, f"{TENANT}/img_1")
    reconciler.reconcile_once()
    left = [path.name for path in (tmp_path / "artifacts").rglob("*") if path.is_file()]
    assert left == ["img_2.png"]
    assert jobs.list(TENANT) == ([], None)
    assert jobs.sweep(2).prefixes == ()
