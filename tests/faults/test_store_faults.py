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
from tests.figures import Figure
from tests.workers.fleet import Fleet, fleet_of, short, until


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[EmbeddedValkey, Fleet]]:
    """A server to kill, and a fleet on it."""
    folder = tmp_path_factory.mktemp("mortal")
    with ExitStack() as stack:
        valkey = stack.enter_context(embedded_valkey(folder / "valkey"))
        redis: Redis = stack.enter_context(connect(valkey.url))
        settings = short(valkey.url, folder, reconcile_seconds=0.5, lease_seconds=3)
        fleet = stack.enter_context(fleet_of(redis, settings, folder))
        fleet.background()
        yield valkey, fleet


@pytest.fixture(scope="module")
def fleet(servers: tuple[EmbeddedValkey, Fleet]) -> Fleet:
    return servers[1]


@pytest.fixture(scope="module")
def server(servers: tuple[EmbeddedValkey, Fleet]) -> EmbeddedValkey:
    return servers[0]


@pytest.mark.fault(7)
@pytest.mark.fault(8)
@pytest.mark.parametrize("ending", ["SIGKILL", "SIGTERM"])
def test_ending_the_store_loses_no_acknowledged_job(
    server: EmbeddedValkey, fleet: Fleet, figure: Figure, ending: str
) -> None:
    [worker] = fleet.workers(1)
    engine = fleet.until_ready(worker).engine_pid
    running = fleet.submit("slow 20")
    fleet.until_under_way(running)
    acknowledged = [fleet.submit("a dog") for _ in range(100)]
    waits = fleet.logs().count("waiting for the store")
    if ending == "SIGKILL":
        server.kill()
    else:
        server.stop()
    until(lambda: fleet.logs().count("waiting for the store") > waits, 30)  # done, it cannot say so
    server.restart()
    back_at = time.monotonic()
    fleet.until_ended(running, 60)
    figure(7, "working again", time.monotonic() - back_at)
    records = [fleet.until_ended(job_id, 60) for job_id in [running, *acknowledged]]
    figure(7, "acknowledged jobs lost", sum(record.status != "succeeded" for record in records))
    assert {record.attempts for record in records} == {1}
    assert fleet.until_ready(worker).engine_pid == engine
    ended = [process for process in (worker, fleet.processes[0]) if process.poll() is not None]
    figure(8, "processes that ended", len(ended))


@pytest.mark.fault(9)
def test_a_store_that_hangs_is_outlived(server: EmbeddedValkey, fleet: Fleet, figure: Figure) -> None:
    [worker] = fleet.workers(1)
    before = fleet.logs().count("waiting for the store")
    job_id = fleet.submit("slow 10")
    fleet.until_under_way(job_id)
    os.kill(server.pid, signal.SIGSTOP)  # connections stay open and nobody answers, as when a cable is pulled
    until(lambda: fleet.logs().count("waiting for the store") > before)
    os.kill(server.pid, signal.SIGCONT)
    mended_at = time.monotonic()
    assert fleet.until_ended(job_id, 60).status == "succeeded"
    assert fleet.until_ended(fleet.submit("a dog"), 60).status == "succeeded"
    figure(9, "done after mending", time.monotonic() - mended_at)
    fleet.until_ready(worker)
    assert [process.poll() for process in fleet.processes] == [None, None]
