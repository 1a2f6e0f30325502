"""The store's primary dies under load, or loses its replica: what is lost, for how long nothing is taken."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from job_store.connection import connect, connect_async
from job_store.errors import NotFound, StoreUnavailable
from tests.faults.sentinels import Watched, watched
from tests.figures import Figure
from tests.workers.fleet import Fleet, fleet_of, short, until

MAX_LAG_SECONDS = 2
"""`min-replicas-max-lag`: a replica that has not answered for so long is not counted."""


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    with watched(tmp_path_factory.mktemp("servers")) as servers:
        yield servers


@pytest.fixture(scope="module")
def fleet(servers: Watched, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("fleet")
    with ExitStack() as stack:
        redis = stack.enter_context(connect(servers.url))
        settings = short(servers.url, folder, lease_seconds=3)
        fleet = stack.enter_context(fleet_of(redis, settings, folder))
        fleet.background()
        yield fleet


def acknowledge(fleet: Fleet) -> tuple[str, float] | None:
    """A job that was accepted, and when; None where the store refused it."""
    try:
        return fleet.submit(), time.monotonic()
    except StoreUnavailable:
        return None


def test_sentinels_tell_those_who_follow_events_too(servers: Watched) -> None:
    async def primary_port() -> int:
        async with connect_async(servers.url) as client:
            return int((await client.info("server"))["tcp_port"])

    assert asyncio.run(primary_port()) == servers.primary.port


@pytest.mark.fault(12)
def test_without_its_replica_the_primary_soon_accepts_nothing(
    servers: Watched, fleet: Fleet, figure: Figure
) -> None:
    fleet.workers(1)
    with connect(servers.primary.url) as primary:
        primary.config_set("min-replicas-max-lag", MAX_LAG_SECONDS)
        primary.config_set("min-replicas-to-write", 1)
        assert acknowledge(fleet)
        os.kill(servers.replica.pid, signal.SIGSTOP)  # its connection stays open, as when a cable is pulled
        parted_at = last_at = time.monotonic()
        while (accepted := acknowledge(fleet)) is not None:
            last_at = accepted[1]
        figure(12, "acknowledged without a replica", last_at - parted_at)
        primary.config_set("min-replicas-to-write", 0)  # two servers: one must be able to go on alone
        os.kill(servers.replica.pid, signal.SIGCONT)
    until(lambda: acknowledge(fleet), 30)


@pytest.mark.fault(12)
def test_a_failover_under_load_loses_no_more_than_it_may(
    servers: Watched, fleet: Fleet, figure: Figure
) -> None:
    with connect(servers.replica.url) as replica:
        until(lambda: replica.info("replication")["master_link_status"] == "up", 30)
    fleet.workers(1)
    before = [accepted for accepted in (acknowledge(fleet) for _ in range(60)) if accepted]
    servers.primary.kill()
    killed_at = time.monotonic()
    back = until(lambda: acknowledge(fleet), 60)
    figure(12, "writable again", back[1] - killed_at)
    lost = [acknowledged_at for job_id, acknowledged_at in before if is_lost(fleet, job_id)]
    after = [back, *(accepted for accepted in (acknowledge(fleet) for _ in range(20)) if accepted)]
    kept = [job_id for job_id, _ in (*before, *after) if not is_lost(fleet, job_id)]
    figure(12, "acknowledged jobs lost", len(lost))
    figure(12, "age of the oldest loss", max([0.0, *(killed_at - at for at in lost)]))
    ends = [fleet.until_ended(job_id, 90).status for job_id in kept]
    figure(12, "other jobs not done", sum(status != "succeeded" for status in ends))


def is_lost(fleet: Fleet, job_id: str) -> bool:
    """Whether an acknowledged job is unknown now."""
    try:
        fleet.jobs.get(job_id)
    except NotFound:
        return True
    return False
