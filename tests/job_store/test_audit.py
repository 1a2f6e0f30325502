"""The audit finds each kind of broken promise."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest
from redis import Redis

from job_store.audit import violations
from job_store.jobs import JobStore
from job_store.keys import Key
from runtime.valkey import EmbeddedValkey
from tests.job_store.samples import LEASE_MS, MODEL, TENANT, WORKER, new_job, result

Break = Callable[[Redis], object]
BREAKS: dict[str, tuple[Break, str]] = {
    "lost job": (lambda r: r.delete(Key.JOB + "ins_q"), "3 jobs accepted, but 1 ended and 1 are open"),
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
    store.commit("ins_s", claims[0].token, result())
    assert store.get("ins_r", TENANT).status == "running"
    assert violations(redis) == []
    return redis


@pytest.mark.parametrize("what", BREAKS)
def test_a_broken_promise_is_found(broken: Redis, what: str) -> None:
    break_it, sentence = BREAKS[what]
    break_it(broken)
    assert any(sentence in found for found in violations(broken))


def test_the_command_prints_violations_and_fails(broken: Redis, valkey: EmbeddedValkey) -> None:
    command = [sys.executable, "-m", "job_store.audit", valkey.url]
    sound = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (sound.returncode, sound.stdout) == (0, "")
    broken.zrem(Key.LEASES, "ins_r")
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (
        1,
        "ins_r: is running and has 0 entries in addit:leases, not 1\n",
    )
