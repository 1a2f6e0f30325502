"""Machines whose clocks are wrong: leases, deadlines and signatures go by the store's (libfaketime)."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from standardwebhooks.webhooks import Webhook

from job_store.clock import server_now
from job_store.webhook_secrets import derived_secret
from runtime.valkey import free_port
from tests.figures import Figure
from tests.workers.fleet import TENANT, Fleet, short, until
from tests.workers.receiver import receiver

LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
AHEAD, BEHIND = 600, -600
pytestmark = pytest.mark.skipif(LIBRARY is None, reason="needs Debian's libfaketime")


class Clock:
    """The wall clock of processes started with `variables`; it may jump while they run."""

    def __init__(self, file: Path, seconds: int) -> None:
        """seconds: ahead of the true time."""
        self._file = file
        self.jump(seconds)

    def jump(self, seconds: int) -> None:
        self._file.write_text(f"{seconds:+d}")

    @property
    def variables(self) -> dict[str, str]:
        return {
            "LD_PRELOAD": str(LIBRARY),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",  # look at every call
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",  # no clock that is set wrong changes that one
        }


@pytest.fixture
def ahead(tmp_path: Path) -> Clock:
    return Clock(tmp_path / "ahead", AHEAD)


@pytest.fixture
def behind(tmp_path: Path) -> Clock:
    return Clock(tmp_path / "behind", BEHIND)


@pytest.fixture(autouse=True)
def nobody_else(fleet: Fleet) -> Iterator[None]:
    yield
    fleet.end()


def started(fleet: Fleet, *clocks: Clock) -> list[subprocess.Popen[bytes]]:
    """Ready workers by these clocks."""
    workers = [fleet.worker(None, **clock.variables) for clock in clocks]
    for worker in workers:
        fleet.until_ready(worker)
    return workers


def different(number: int) -> dict[str, Any]:
    """A source that no worker remembers: any may take it."""
    return {"source": {"kind": "generated", "prompt": f"room {number}"}}


@pytest.mark.fault(57)
def test_clocks_that_differ_by_twenty_minutes_change_nothing(
    fleet: Fleet, ahead: Clock, behind: Clock, figure: Figure
) -> None:
    fleet.background(None, **ahead.variables)
    started(fleet, ahead, behind)
    began = server_now(fleet.redis)
    with receiver(204) as tenant:
        hook = {"url": tenant.url}
        jobs = [fleet.submit("slow 12", webhook=hook, **different(number)) for number in range(6)]
        records = [fleet.until_ended(job, 90) for job in jobs]
        until(lambda: len(tenant.requests) == len(jobs), 60)
    assert {(record.status, record.attempts) for record in records} == {("succeeded", 1)}
    assert len({record.worker for record in records}) == 2
    for record in records:
        assert record.started_at
        assert record.completed_at
        assert began <= record.created_at <= record.started_at <= record.completed_at
        assert record.completed_at <= server_now(fleet.redis)
    figure(57, "clocks apart", (AHEAD - BEHIND) / 60)
    figure(57, "attempts of a job", max(record.attempts for record in records))
    for _, headers, body in tenant.requests:
        secret = derived_secret(fleet.settings.webhook_masters[0], f"default/{TENANT}", "")
        Webhook(secret).verify(body, headers)
    said = [abs(int(headers["webhook-timestamp"]) - time.time()) for _, headers, _ in tenant.requests]
    figure(57, "webhook's time off", max(said))


@pytest.mark.fault(57)
@pytest.mark.parametrize("seconds", [AHEAD, BEHIND])
def test_the_lease_of_a_dead_worker_ends_by_the_stores_clock(
    fleet: Fleet, tmp_path: Path, seconds: int, figure: Figure
) -> None:
    clock = Clock(tmp_path / "clock", seconds)
    fleet.background(None, **clock.variables)
    dying, other = started(fleet, clock, clock)
    job = fleet.submit("slow 20")
    record = fleet.until_under_way(job)
    if fleet.state(dying).name != record.worker:  # type: ignore[union-attr]
        dying, other = other, dying
    dying.kill()
    killed_at = time.monotonic()
    until(lambda: fleet.jobs.get(job).attempts == 2, 60)
    seconds_later = time.monotonic() - killed_at
    figure(57, "run again after", seconds_later)
    assert seconds_later > 0.5 * fleet.settings.lease_seconds
    assert fleet.until_ended(job).status == "succeeded"


@pytest.mark.fault(57)
def test_a_clock_that_jumps_while_a_job_runs_does_not_end_it(fleet: Fleet, ahead: Clock) -> None:
    fleet.background(None, **ahead.variables)
    [worker] = started(fleet, ahead)
    job = fleet.submit("slow 40")
    running = fleet.until_under_way(job)
    for seconds in (BEHIND, AHEAD, 0):
        ahead.jump(seconds)
        before = fleet.jobs.get(job).progress
        until(lambda before=before: fleet.jobs.get(job).progress != before, 30)  # type: ignore[misc]
    record = fleet.until_ended(job)
    assert (record.status, record.attempts, record.worker) == ("succeeded", 1, running.worker)
    assert worker.poll() is None


@pytest.mark.fault(57)
@pytest.mark.parametrize("seconds", [AHEAD, BEHIND])
def test_a_gateway_with_another_clock_still_knows_who_is_ready(
    fleet: Fleet, tmp_path: Path, seconds: int
) -> None:
    clock = Clock(tmp_path / "clock", seconds)
    fleet.workers(1)
    settings = short(fleet.settings.redis_url, fleet.folder, port=free_port())
    fleet.start("service", settings, **clock.variables)
    url = f"http://127.0.0.1:{settings.port}"

    def answered() -> httpx.Response | None:
        try:
            return httpx.get(f"{url}/readyz", trust_env=False)
        except httpx.TransportError:
            return None

    assert until(answered, 30).status_code == 200
