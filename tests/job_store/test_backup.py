"""A backup by the commands of docs/backup.md, taken from a running server and put under a fresh one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from redis import Redis

import workers.janitor
from job_store.api_keys import ApiKeys
from job_store.artifacts import ArtifactStore, job_prefix
from job_store.connection import connect
from job_store.jobs import JobStore
from job_store.keys import Key
from job_store.outlook import Outlook
from job_store.records import JobRecord
from job_store.tenants import Limits, Tenants
from runtime.valkey import embedded_valkey
from tests.job_store.samples import LEASE_MS, MODEL, TENANT, new_job, pass_time
from tests.job_store.snapshots import fill
from tests.workers.fleet import short
from tests.workers.test_attempt import Bench
from workers.janitor import Janitor

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "backup.md"


def commands(heading: str) -> list[str]:
    """The shell blocks under a heading."""
    part = DOCUMENT.read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"```sh\n(.*?)```", part, re.DOTALL)


def run(script: str, **variables: str) -> str:
    """As an operator would, in a checkout; what it printed."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}"
    told = {"PATH": path, "PYTHONPATH": str(ROOT), **variables}
    done = subprocess.run(["sh", "-eu", "-c", script], env=told, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@dataclass(frozen=True)
class Restored:
    """What there was at the moment of the backup, and where it is again. late: a job accepted afterwards."""

    before: dict[str, JobRecord]
    late: str
    key: str
    pictures: dict[str, bytes]
    url: str
    folder: Path


@pytest.fixture(scope="module")
def restored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Restored]:
    lived, backup, lives = (tmp_path_factory.mktemp(name) for name in ("lived", "backup", "lives"))
    with embedded_valkey(lived / "valkey") as valkey, connect(valkey.url) as redis:
        jobs, artifacts = JobStore(redis), ArtifactStore(f"file://{lived}/artifacts")
        before = fill(jobs, redis)
        pictures = {f"{job_prefix(TENANT, one.id)}source.png": says.encode() for says, one in before.items()}
        for name, data in pictures.items():
            artifacts.put(name, data)
        key = ApiKeys(redis).create(TENANT, "kept")
        Tenants(redis, Limits()).put(TENANT, {"max_running": 7})
        [script] = commands("Back up")
        first, *rest = script.splitlines(keepends=True)
        there = {"ADDIT_REDIS_URL": valkey.url, "DATA": str(lived), "BACKUP": str(backup)}
        assert run(first, **there).strip() == str(lived / "valkey" / "dump.rdb")
        late = jobs.submit(new_job())[0].id  # between the store and the pictures
        artifacts.put(f"{job_prefix(TENANT, late)}source.png", b"late")
        run("".join(rest), **there)
        valkey.kill()
    put_back, look = commands("Restore")
    run(put_back, DATA=str(lives), BACKUP=str(backup))
    with embedded_valkey(lives / "valkey") as valkey:
        assert run(look, ADDIT_REDIS_URL=valkey.url) == ""
        yield Restored(before, late, key, pictures, valkey.url, lives)


@pytest.fixture
def redis(restored: Restored) -> Iterator[Redis]:
    with connect(restored.url) as redis:
        yield redis


def test_everything_of_that_moment_is_back(restored: Restored, redis: Redis) -> None:
    jobs, artifacts = JobStore(redis), ArtifactStore(f"file://{restored.folder}/artifacts")
    assert {says: jobs.get(one.id) for says, one in restored.before.items()} == restored.before
    assert {name: artifacts.get(name) for name in restored.pictures} == restored.pictures
    assert {record.id for record in jobs.list(TENANT, 50)[0]} == {one.id for one in restored.before.values()}
    assert Tenants(redis, Limits()).get(TENANT).limits.max_running == 7
    found = ApiKeys(redis).find(restored.key)
    assert found
    assert found.tenant == TENANT


def test_what_waited_is_done_and_what_ran_is_run_again(
    restored: Restored, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = short(restored.url, restored.folder)
    jobs, artifacts = JobStore(redis), ArtifactStore(settings.artifact_url)
    bench = Bench(jobs, artifacts, Outlook(redis), settings, restored.folder)
    pass_time(redis, restored.before["runs"].id, LEASE_MS + 1)
    assert jobs.sweep(2).requeued == (restored.before["runs"].id,)
    done = set()
    while claim := jobs.claim(MODEL, "worker-2", LEASE_MS):
        assert bench.do(claim).ending == "succeeded"
        done.add(claim.record.id)
    assert done == {restored.before[says].id for says in ("runs", "waits", "waits in bulk")}
    assert run(commands("Restore")[1], ADDIT_REDIS_URL=restored.url) == ""
    monkeypatch.setattr(workers.janitor, "GRACE", timedelta(hours=-1))
    Janitor(settings, redis).clean_once()
    owners = {owner for owner in artifacts.owners() if artifacts.changed_at(owner)}
    assert owners == {job_prefix(TENANT, one.id) for one in restored.before.values()}
    assert redis.exists(Key.JOB + restored.late) == 0
