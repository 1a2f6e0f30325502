"""The store goes away and comes back."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from redis import Redis

from job_store.connection import connect
from runtime.valkey import EmbeddedValkey, embedded_valkey
from tests.workers.fleet import Fleet, fleet_of, short, until


@pytest.fixture(scope="module")
def mortal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[EmbeddedValkey, Fleet]]:
    """A server to kill, and a fleet on it."""
    folder = tmp_path_factory.mktemp("mortal")
    with ExitStack() as stack:
        valkey = stack.enter_context(embedded_valkey(folder / "valkey"))
        redis: Redis = stack.enter_context(connect(valkey.url))
        settings = short(valkey.url, folder, reconcile_seconds=0.5, lease_seconds=3)
        fleet = stack.enter_context(fleet_of(redis, settings, folder))
        fleet.background()
        yield valkey, fleet


@pytest.mark.fault(7)
@pytest.mark.fault(8)
def test_killing_the_store_loses_no_acknowledged_job(mortal: tuple[EmbeddedValkey, Fleet]) -> None:
    valkey, fleet = mortal
    [worker] = fleet.workers(1)
    engine = fleet.until_ready(worker).engine_pid
    running = fleet.submit("slow 20")
    fleet.until_under_way(running)
    acknowledged = [fleet.submit("a dog") for _ in range(100)]
    valkey.kill()
    down_at = time.monotonic()
    until(lambda: "waiting for the store" in fleet.logs())  # the engine is done and cannot say so
    valkey.restart()
    back_at = time.monotonic()
    records = [fleet.until_ended(job_id) for job_id in [running, *acknowledged]]
    print(f"store away for {back_at - down_at:.1f} s; 101 jobs done {time.monotonic() - back_at:.1f} s after")  # noqa: T201
    assert [record.status for record in records] == ["succeeded"] * 101
    assert {record.attempts for record in records} == {1}
    assert fleet.until_ready(worker).engine_pid == engine
    assert [process.poll() for process in fleet.processes] == [None, None]


@pytest.mark.fault(9)
def test_a_store_that_hangs_is_outlived(mortal: tuple[EmbeddedValkey, Fleet]) -> None:
    valkey, fleet = mortal
    [worker] = fleet.workers(1)
    before = fleet.logs().count("waiting for the store")
    job_id = fleet.submit("slow 10")
    fleet.until_under_way(job_id)
    os.kill(valkey.pid, signal.SIGSTOP)  # connections stay open and nobody answers, as when a cable is pulled
    until(lambda: fleet.logs().count("waiting for the store") > before)
    os.kill(valkey.pid, signal.SIGCONT)
    assert fleet.until_ended(job_id).status == "succeeded"
    assert fleet.until_ended(fleet.submit("a dog")).status == "succeeded"
    fleet.until_ready(worker)
    assert [process.poll() for process in fleet.processes] == [None, None]
