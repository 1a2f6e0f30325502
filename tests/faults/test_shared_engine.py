"""Two jobs in one engine, that take turns at its model: what befalls one, the other, or both.

Phases are held by the line between workers and store, as in `test_phases`.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from itertools import count
from typing import Literal, get_args

import pytest

from job_store.connection import connect
from job_store.keys import Key
from job_store.records import JobRecord
from tests.faults.proxy import Proxy, Trap, script
from tests.workers.fleet import TENANT, Fleet, fleet_of, gone, short, until

Phase = Literal["joining", "step", "upload", "commit", "committed"]
SIZE, LONG, SHORT = "64x48", "slow 40", "slow 8"
_sources = count()


@pytest.fixture(scope="module")
def fleet(proxy: Proxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Its processes reach the store through the proxy, the test reaches it directly."""
    folder = tmp_path_factory.mktemp("fleet")
    sharing = "tests.workers.scripted_runner:load_sharing"
    settings = short(proxy.url, folder, runner=sharing, grace_seconds=30, lease_seconds=3, step_seconds=5)
    with connect(proxy.server_url) as redis, fleet_of(redis, settings, folder) as fleet:
        fleet.background(short(proxy.server_url, folder))
        yield fleet


def submit(fleet: Fleet, prompt: str) -> str:
    """A job that may be beside any other here."""
    source = {"kind": "generated", "prompt": f"room {next(_sources)}"}
    return fleet.submit(prompt, source=source, size=SIZE)


def both_under_way(fleet: Fleet, first: str = LONG, second: str = LONG) -> tuple[str, str]:
    """Two jobs that have made steps, neither of them its last."""
    ids = submit(fleet, first), submit(fleet, second)
    records = [fleet.until_under_way(job_id) for job_id in ids]
    assert len({record.worker for record in records}) == 1
    assert {fleet.jobs.get(job_id).status for job_id in ids} == {"running"}, fleet.logs()
    return ids


def engine_of(fleet: Fleet) -> int:
    [worker] = fleet.workers(1)
    engine = fleet.until_ready(worker).engine_pid
    assert engine
    return engine


def done(fleet: Fleet, *ids: str) -> list[JobRecord]:
    return [fleet.until_ended(job_id, 60) for job_id in ids]


def test_jobs_join_one_that_runs_and_each_comes_to_its_own_end(fleet: Fleet) -> None:
    engine = engine_of(fleet)
    first, second = both_under_way(fleet, LONG, SHORT)
    [short] = done(fleet, second)
    assert fleet.jobs.get(first).status == "running"
    third = submit(fleet, SHORT)  # where the second was
    records = done(fleet, first, second, third)
    assert [(record.status, record.attempts) for record in records] == 3 * [("succeeded", 1)]
    assert short.completed_at
    assert records[2].claimed_at
    assert records[0].completed_at
    assert short.completed_at <= records[2].claimed_at < records[0].completed_at
    assert engine_of(fleet) == engine


@pytest.mark.fault(2)
@pytest.mark.parametrize("phase", get_args(Phase))
def test_an_engine_killed_with_two_jobs_has_each_done_once_and_alone(
    fleet: Fleet, proxy: Proxy, phase: Phase
) -> None:
    engine = engine_of(fleet)
    ids, trap = reach(fleet, proxy, phase)
    os.kill(engine, signal.SIGKILL)
    if phase == "joining":
        trap.release()
    else:
        trap.lose()
    records = done(fleet, *ids)
    assert [record.status for record in records] == ["succeeded", "succeeded"]
    assert [record.attempts for record in records] == [1 + record.crashes for record in records]
    assert [record.crashes for record in records] == ([0, 1] if phase == "committed" else [1, 1])
    if phase != "committed":
        (one, other) = sorted(records, key=lambda record: str(record.claimed_at))
        assert one.completed_at
        assert other.claimed_at
        assert one.completed_at <= other.claimed_at, "whoever may kill an engine is alone in it"


def reach(fleet: Fleet, proxy: Proxy, phase: Phase) -> tuple[tuple[str, str], Trap]:
    """Two jobs in one engine, with the first in the middle of this phase."""
    if phase == "joining":
        first = submit(fleet, LONG)
        fleet.until_under_way(first)
        trap = proxy.trap(script("claim"), "reply")
        second = submit(fleet, LONG)
        until(lambda: trap.caught.is_set() or None, 20)
        if fleet.jobs.get(second).status != "running":  # that claim came before the job
            trap.release()
            trap = proxy.trap(script("claim"), "reply")
            trap.wait()
        return (first, second), trap
    ids = both_under_way(fleet, "slow 12" if phase != "step" else LONG)
    pattern = {
        "step": b'"stage":"denoise","step":30',
        "upload": b'"stage":"upload","step":1',
        "commit": script("finish"),
        "committed": script("finish"),
    }[phase]
    trap = proxy.trap(pattern, "reply" if phase == "committed" else "request")
    trap.wait()
    return ids, trap


@pytest.mark.fault(14)
def test_a_poison_job_takes_nobody_into_its_quarantine(fleet: Fleet) -> None:
    engine_of(fleet)
    first, poison = submit(fleet, LONG), submit(fleet, "segfault")
    innocent, guilty = done(fleet, first, poison)
    assert (guilty.status, guilty.error and guilty.error.code) == ("failed", "worker_crashed")
    assert (innocent.status, innocent.crashes) == ("succeeded", 1)


@pytest.mark.fault(16)
def test_a_hang_ends_both_attempts_and_only_its_own_job(fleet: Fleet) -> None:
    engine_of(fleet)
    first, hung = submit(fleet, LONG), submit(fleet, "freeze")
    innocent, guilty = done(fleet, first, hung)
    assert (guilty.status, guilty.attempts) == ("failed", 2)
    assert (innocent.status, innocent.crashes) == ("succeeded", 1)


@pytest.mark.fault(19)
def test_who_is_canceled_or_fails_does_so_alone(fleet: Fleet) -> None:
    engine = engine_of(fleet)
    first, second = both_under_way(fleet)
    fleet.jobs.cancel(second, TENANT)
    [canceled] = done(fleet, second)
    broken = submit(fleet, "nan")
    [failed] = done(fleet, broken)
    assert fleet.jobs.get(first).status == "running"
    assert (canceled.status, failed.status) == ("canceled", "failed")
    [record] = done(fleet, first)
    assert (record.status, record.attempts) == ("succeeded", 1)
    assert engine_of(fleet) == engine


@pytest.mark.fault(5)
def test_who_loses_its_lease_is_fenced_alone(fleet: Fleet) -> None:
    engine = engine_of(fleet)
    first, second = both_under_way(fleet)
    token = fleet.redis.hget(Key.JOB + second, "token")
    assert isinstance(token, bytes)
    fleet.jobs.release(second, token.decode(), crashed=False, max_crashes=2)
    records = done(fleet, first, second)
    assert [(record.status, record.attempts) for record in records] == [("succeeded", 1), ("succeeded", 2)]
    assert engine_of(fleet) == engine


def test_a_dropped_seed_and_a_deletion_concern_one(fleet: Fleet) -> None:
    engine_of(fleet)
    source = {"kind": "generated", "prompt": "a room for two"}
    first = fleet.submit(LONG, source=source, size=SIZE, seeds=[1, 2])
    second = submit(fleet, LONG)
    for job_id in (first, second):
        fleet.until_under_way(job_id)
    fleet.jobs.drop_seed(first, TENANT, 2, 1.0)
    fleet.jobs.cancel(second, TENANT)
    [canceled] = done(fleet, second)
    fleet.jobs.delete(second, TENANT)
    [record] = done(fleet, first)
    assert record.result
    assert ([image.seed for image in record.result.images], canceled.status) == ([1], "canceled")


@pytest.mark.fault(17)
@pytest.mark.parametrize("grace_seconds", [30.0, 0.1])
def test_sigterm_lets_both_finish_or_gives_both_back(fleet: Fleet, grace_seconds: float) -> None:
    fleet.workers(0)
    worker = fleet.worker(fleet.settings.model_copy(update={"grace_seconds": grace_seconds}))
    engine = fleet.until_ready(worker).engine_pid
    ids = both_under_way(fleet)
    waiting = submit(fleet, SHORT)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(60) == 0
    assert gone(engine)
    told = [fleet.jobs.get(job_id) for job_id in ids]
    wanted = ("succeeded", 1, 0) if grace_seconds > 1 else ("queued", 1, 0)
    assert [(record.status, record.attempts, record.crashes) for record in told] == 2 * [wanted]
    fleet.workers(1)
    assert {record.status for record in done(fleet, *ids, waiting)} == {"succeeded"}
