"""The audit finds each kind of broken promise."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Timer

import pytest
from redis import Redis

from job_store.artifacts import ArtifactStore, attempt_key, image_key, job_prefix
from job_store.audit import lasting_violations, violations
from job_store.jobs import JobStore
from job_store.keys import Key
from runtime.valkey import EmbeddedValkey
from tests.job_store.samples import LEASE_MS, MODEL, TENANT, WORKER, new_job, result

Break = Callable[[Redis], object]
BREAKS: dict[str, tuple[Break, str]] = {
    "lost job": (
        lambda r: r.delete(Key.JOB + "ins_q"),
        "ins_q: stands in addit:ready:small without a record",
    ),
    "forgotten job": (
        lambda r: (r.delete(Key.JOB + "ins_q"), r.zrem(Key.DEADLINES, "ins_q")),
        "1 jobs accepted are neither ended nor open",
    ),
    "uncounted end": (
        lambda r: r.hdel(Key.COUNTS, "succeeded"),
        "1 jobs are succeeded, but 0 became so",
    ),
    "two ends": (
        lambda r: r.hincrby(Key.JOB + "ins_s", "ends", 1),
        "ins_s: is succeeded and has 2 ends, not 1",
    ),
    "two commits": (lambda r: r.hincrby(Key.JOB + "ins_s", "commits", 1), "has 2 commits, not 1"),
    "no result": (lambda r: r.hdel(Key.JOB + "ins_s", "result"), "has 0 results, not 1"),
    "two last events": (
        lambda r: r.xadd(Key.EVENTS + "ins_s", {"type": "completed", "data": "{}"}),
        "has 2 completed events, not 1",
    ),
    "no webhook": (lambda r: r.delete(Key.DELIVERY + "default/acme/msg_ins_s"), "has 0 webhooks, not 1"),
    "lost webhook": (
        lambda r: r.zrem(Key.OUTBOX, "default/acme/msg_ins_s"),
        "default/acme/msg_ins_s: is pending and not in the outbox",
    ),
    "settled webhook still due": (
        lambda r: r.hset(Key.DELIVERY + "default/acme/msg_ins_s", "state", "delivered"),
        "default/acme/msg_ins_s: is delivered and in the outbox",
    ),
    "no lease": (
        lambda r: r.zrem(Key.LEASES, "ins_r"),
        "ins_r: is running and has 0 entries in addit:leases, not 1",
    ),
    "not in line": (
        lambda r: r.zrem(Key.READY + MODEL, "ins_q"),
        "has 0 entries in addit:ready:small, not 1",
    ),
    "running in line": (
        lambda r: r.zadd(Key.READY + MODEL, {"ins_r": 1}),
        "has 1 entries in addit:ready:small, not 0",
    ),
    "never deleted": (lambda r: r.zrem(Key.DELETIONS, "ins_s"), "has 0 entries in addit:deletions, not 1"),
    "no turn": (lambda r: r.zrem(Key.TURNS + MODEL, TENANT), f"{TENANT}: waits for small without a turn"),
    "two turns": (lambda r: r.zadd(Key.BULK_TURNS + MODEL, {TENANT: 1}), f"{TENANT}: has 2 turns at small"),
    "idle turn": (lambda r: r.zadd(Key.TURNS + MODEL, {"idler": 1}), "idler: has 1 turns at small"),
    "stray": (
        lambda r: r.zadd(Key.READY + MODEL, {"ins_x": 1}),
        "ins_x: stands in addit:ready:small without a record",
    ),
}


@pytest.fixture
def broken(redis: Redis) -> Redis:
    """A store with one job that succeeded, one that runs and one that waits."""
    store = JobStore(redis)
    store.submit(new_job(job_id="ins_s", webhook={"url": "https://example.com/"}))
    for job_id in ("ins_r", "ins_q"):
        store.submit(new_job(job_id=job_id))
    claims = [store.claim(MODEL, WORKER, LEASE_MS) for _ in range(2)]
    assert claims[0] is not None
    store.commit("ins_s", claims[0].token, result(attempt_key(TENANT, "ins_s", "a", "0.png")))
    assert store.get("ins_r", TENANT).status == "running"
    assert violations(redis) == []
    return redis


@pytest.mark.parametrize("what", BREAKS)
def test_a_broken_promise_is_found(broken: Redis, what: str) -> None:
    break_it, sentence = BREAKS[what]
    break_it(broken)
    assert any(sentence in found for found in violations(broken))


@pytest.fixture
def artifacts(broken: Redis, tmp_path: Path) -> ArtifactStore:
    """The pictures that belong to them, beside an uploaded one and what the request of a job came with."""
    stored = ArtifactStore(f"file://{tmp_path}")
    names = ("a/0.png", "a/mask.png", "a/0-latents.npy", "mask.png")
    for key in (*(job_prefix(TENANT, "ins_s") + name for name in names), image_key(TENANT, "img_1")):
        stored.put(key, b"x")
    stored.put(attempt_key(TENANT, "ins_r", "b", "0.png"), b"x")
    assert violations(broken, stored) == []
    return stored


def test_a_picture_that_is_gone_is_missed(broken: Redis, artifacts: ArtifactStore) -> None:
    artifacts.delete(key := attempt_key(TENANT, "ins_s", "a", "mask.png"))
    assert violations(broken, artifacts) == [f"ins_s: {key} is in its result and not stored"]


def test_files_of_another_attempt_are_found(broken: Redis, artifacts: ArtifactStore) -> None:
    artifacts.put(attempt_key(TENANT, "ins_s", "stale", "0.png"), b"x")
    assert violations(broken, artifacts) == ["ins_s: is succeeded and has files of another attempt, stale"]


def test_files_without_a_record_are_found_unless_they_are_to_go(
    broken: Redis, artifacts: ArtifactStore
) -> None:
    artifacts.put(attempt_key(TENANT, "ins_x", "a", "0.png"), b"x")
    assert violations(broken, artifacts) == ["t/acme/j/ins_x/: files without a record"]
    broken.sadd(Key.PURGES, f"{TENANT}/ins_x")
    assert violations(broken, artifacts) == []


def test_what_looks_wrong_for_a_moment_is_no_violation(broken: Redis) -> None:
    broken.zrem(Key.LEASES, "ins_r")
    mending = Timer(0.2, broken.zadd, (Key.LEASES, {"ins_r": time.time() * 1000 + LEASE_MS}))
    mending.start()
    assert lasting_violations(broken) == []
    mending.join()


def test_the_command_prints_violations_and_fails(
    broken: Redis, artifacts: ArtifactStore, valkey: EmbeddedValkey, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "job_store.audit", valkey.url, "--artifacts", f"file://{tmp_path}"]
    sound = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (sound.returncode, sound.stdout) == (0, "")
    broken.zrem(Key.LEASES, "ins_r")
    artifacts.delete(key := attempt_key(TENANT, "ins_s", "a", "0.png"))
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout.splitlines()) == (
        1,
        [
            "ins_r: is running and has 0 entries in addit:leases, not 1",
            f"ins_s: {key} is in its result and not stored",
        ],
    )
