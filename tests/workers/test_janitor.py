"""Files without a record go, after a while; everything else stays."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from redis import Redis

from job_store.artifacts import ArtifactStore, attempt_key, image_key, job_prefix
from job_store.images import ImageStore
from job_store.jobs import JobStore
from job_store.keys import Key
from runtime.valkey import EmbeddedValkey
from tests.job_store.samples import TENANT, new_job
from tests.workers.fleet import short
from workers.janitor import GRACE, Janitor

NEW, OLD = 60.0, GRACE.total_seconds() + 60
ABSENT = "ins_absent"


@pytest.fixture
def janitor(redis: Redis, valkey: EmbeddedValkey, tmp_path: Path) -> Janitor:
    return Janitor(short(valkey.url, tmp_path), redis)


@pytest.fixture
def artifacts(valkey: EmbeddedValkey, tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(short(valkey.url, tmp_path).artifact_url)


def age(folder: Path, seconds: float) -> None:
    """Everything in the folder, and it, was last written so long ago."""
    for path in [folder, *folder.rglob("*")]:
        then = path.stat().st_mtime - seconds
        os.utime(path, (then, then))


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_old_files_without_a_record_go(
    janitor: Janitor, artifacts: ArtifactStore, redis: Redis, tmp_path: Path
) -> None:
    folder = tmp_path / "artifacts"
    job, _ = JobStore(redis).submit(new_job())
    kept = [
        image_key(TENANT, "img_kept"),
        f"{job_prefix(TENANT, job.id)}source.png",
        attempt_key(TENANT, job.id, "0f", "0.png"),
    ]
    ImageStore(redis).add("img_kept", TENANT, width=8, height=8, sha256="0" * 64, seconds=60)
    lost = [
        image_key(TENANT, "img_absent"),
        image_key("globex", "img_kept"),
        f"{job_prefix(TENANT, ABSENT)}source.png",
        attempt_key(TENANT, ABSENT, "0f", "0.png"),
    ]
    for key in (*kept, *lost):
        artifacts.put(key, b"picture")
    (folder / f"t/{TENANT}/i/.img_half.png.0a1b2c3d.part").write_bytes(b"pic")
    (folder / f"t/{TENANT}/j/ins_empty").mkdir()
    before = files(folder)
    age(folder, NEW)
    janitor.clean_once()
    assert files(folder) == before
    age(folder, OLD)
    janitor.clean_once()
    assert files(folder) == set(kept)
    assert not (folder / f"t/{TENANT}/j/ins_empty").exists()


def test_a_job_is_as_young_as_its_youngest_file(
    janitor: Janitor, artifacts: ArtifactStore, redis: Redis, tmp_path: Path
) -> None:
    JobStore(redis).submit(new_job())
    folder = tmp_path / "artifacts"
    artifacts.put(attempt_key(TENANT, ABSENT, "0f", "0.png"), b"picture")
    age(folder, OLD)
    artifacts.put(attempt_key(TENANT, ABSENT, "1f", "0.png"), b"picture")
    janitor.clean_once()
    assert len(files(folder)) == 2


def test_a_picture_that_expired_is_the_reconcilers(
    janitor: Janitor, artifacts: ArtifactStore, redis: Redis, tmp_path: Path
) -> None:
    JobStore(redis).submit(new_job())
    ImageStore(redis).add("img_1", TENANT, width=8, height=8, sha256="0" * 64, seconds=60)
    redis.delete(Key.IMAGE + "img_1")
    artifacts.put(image_key(TENANT, "img_1"), b"picture")
    age(tmp_path / "artifacts", OLD)
    janitor.clean_once()
    assert files(tmp_path / "artifacts") == {image_key(TENANT, "img_1")}


def test_nothing_goes_while_the_store_is_an_empty_one(
    janitor: Janitor, artifacts: ArtifactStore, tmp_path: Path
) -> None:
    folder = tmp_path / "artifacts"
    janitor.clean_once()
    for key in (image_key(TENANT, "img_1"), attempt_key(TENANT, ABSENT, "0f", "0.png")):
        artifacts.put(key, b"picture")
    age(folder, OLD)
    janitor.clean_once()
    assert len(files(folder)) == 2
