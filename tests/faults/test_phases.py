"""Death and dismissal at every phase of a job, from the ticket's taking to the commit's answer.

The phase is held by the line between workers and store: the request that begins it is kept there.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from typing import Literal, get_args

import pytest

from job_store.connection import connect
from tests.faults.proxy import Proxy, Trap, script
from tests.figures import Figure
from tests.workers.fleet import Fleet, fleet_of, gone, short, until

Phase = Literal["dequeued", "claimed", "step", "upload", "commit", "committed"]
OF_THE_ENGINE: tuple[Phase, ...] = ("step", "upload", "commit", "committed")
BEFORE_DEQUEUING = b"BLMOVE"  # an idle worker waits for a ticket
AFTER_DEQUEUING = b"LREM"  # the ticket is taken off RQ's books
STEPS = 4


@pytest.fixture(scope="module")
def fleet(proxy: Proxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Its processes reach the store through the proxy, the test reaches it directly."""
    folder = tmp_path_factory.mktemp("fleet")
    settings = short(proxy.url, folder, grace_seconds=30, lease_seconds=3, step_seconds=30)
    with connect(proxy.server_url) as redis, fleet_of(redis, settings, folder) as fleet:
        fleet.background(short(proxy.server_url, folder))
        yield fleet


def reach(fleet: Fleet, proxy: Proxy, phase: Phase) -> tuple[str, Trap]:
    """A job in the middle of this phase, and what keeps it there."""
    idle = proxy.trap(BEFORE_DEQUEUING)  # with it held nobody claims for an older ticket, or for none
    idle.wait()
    dequeued = proxy.trap(AFTER_DEQUEUING)
    job_id = fleet.submit(f"slow {STEPS}")
    idle.release()
    dequeued.wait()
    if phase == "dequeued":
        return job_id, dequeued
    patterns = {
        "claimed": script("claim"),
        "step": f'"stage":"denoise","step":{STEPS // 2}'.encode(),
        "upload": b'"stage":"upload","step":1',  # one picture is stored, one is not
        "commit": script("finish"),
        "committed": script("finish"),
    }
    trap = proxy.trap(patterns[phase], "reply" if phase in ("claimed", "committed") else "request")
    dequeued.release()
    trap.wait()
    return job_id, trap


def let_go(trap: Trap, phase: Phase) -> None:
    """The engine's own request dies with the engine, the supervisor's goes on."""
    if phase in OF_THE_ENGINE:
        trap.lose()
    else:
        trap.release()


@pytest.mark.fault(2)
@pytest.mark.parametrize("phase", get_args(Phase))
def test_an_engine_killed_at_any_phase_has_its_job_done_once(
    fleet: Fleet, proxy: Proxy, figure: Figure, phase: Phase
) -> None:
    [worker] = fleet.workers(1)
    engine = fleet.until_ready(worker).engine_pid
    assert engine
    job_id, trap = reach(fleet, proxy, phase)
    os.kill(engine, signal.SIGKILL)
    killed_at = time.monotonic()
    let_go(trap, phase)
    record = fleet.until_ended(job_id, 60)
    figure(2, "done again", time.monotonic() - killed_at)
    assert record.status == "succeeded"
    assert record.attempts == 1 + record.crashes
    if phase == "dequeued":  # seen dead before the claim, it costs the job nothing
        assert record.crashes <= 1
    else:
        assert record.crashes == (0 if phase == "committed" else 1)
    fleet.until_ready(worker, other_than=engine)


@pytest.mark.fault(2)
def test_an_engine_killed_while_it_stores_one_job_and_runs_the_next_has_both_done_once(
    fleet: Fleet, proxy: Proxy
) -> None:
    [worker] = fleet.workers(1)
    engine = fleet.until_ready(worker).engine_pid
    assert engine
    traps = [proxy.trap(script("finish")) for _ in range(20)]  # it is tried again and again
    first = fleet.submit(f"slow {STEPS}")
    traps[0].wait()
    second = fleet.submit("slow 40", source={"kind": "generated", "prompt": "another room"})
    assert fleet.until_under_way(second).worker == fleet.jobs.get(first).worker
    assert fleet.jobs.get(first).status == "running", "its end is not stored yet"
    os.kill(engine, signal.SIGKILL)
    proxy.untrap()
    for trap in traps:
        trap.lose()
    records = [fleet.until_ended(job_id, 60) for job_id in (first, second)]
    told = [(record.status, record.attempts, record.crashes) for record in records]
    assert told == 2 * [("succeeded", 2, 1)]
    one, other = sorted(records, key=lambda record: str(record.claimed_at))
    assert one.completed_at
    assert other.claimed_at
    assert one.completed_at <= other.claimed_at, "whoever may kill an engine is alone in it"


@pytest.mark.fault(4)
@pytest.mark.parametrize("phase", ["dequeued", "claimed"])
def test_a_supervisor_killed_between_ticket_and_work_loses_nothing(
    fleet: Fleet, proxy: Proxy, figure: Figure, phase: Phase
) -> None:
    [worker] = fleet.workers(1)
    job_id, trap = reach(fleet, proxy, phase)
    worker.kill()
    killed_at = time.monotonic()
    worker.wait()
    trap.lose()
    fleet.workers(1)
    record = fleet.until_ended(job_id, 90)
    figure(4, "done by another", time.monotonic() - killed_at)
    assert record.status == "succeeded"
    assert record.attempts == (1 if phase == "dequeued" else 2)


@pytest.mark.fault(17)
@pytest.mark.parametrize("phase", get_args(Phase))
def test_sigterm_at_any_phase_lets_the_job_finish_within_its_grace(
    fleet: Fleet, proxy: Proxy, figure: Figure, phase: Phase
) -> None:
    [worker] = fleet.workers(1)
    job_id, trap = reach(fleet, proxy, phase)
    worker.send_signal(signal.SIGTERM)
    trap.release()
    assert worker.wait(60) == 0
    record = fleet.jobs.get(job_id)
    if phase == "dequeued":  # told before the claim, it may leave the job to others
        assert record.status in ("queued", "succeeded")
        fleet.workers(1)
        record = fleet.until_ended(job_id, 60)
    figure(17, "starts of a job that had its grace", record.attempts)
    figure(17, "jobs lost", int(record.status != "succeeded"))


@pytest.mark.fault(17)
@pytest.mark.fault(18)
@pytest.mark.parametrize(
    ("phase", "grace_seconds"), [("step", 30.0), ("upload", 30.0), ("commit", 30.0), ("upload", 0.1)]
)
def test_told_twice_or_out_of_grace_the_job_is_given_back(
    fleet: Fleet, proxy: Proxy, figure: Figure, phase: Phase, grace_seconds: float
) -> None:
    fleet.workers(0)
    worker = fleet.worker(fleet.settings.model_copy(update={"grace_seconds": grace_seconds}))
    engine = fleet.until_ready(worker).engine_pid
    job_id, trap = reach(fleet, proxy, phase)
    worker.send_signal(signal.SIGTERM)
    told_at = time.monotonic()

    def over() -> bool:
        if grace_seconds > 1:  # all within a second count as one
            worker.send_signal(signal.SIGTERM)
        return worker.poll() is not None

    until(over, 30)
    figure(17, "stopped without grace", time.monotonic() - told_at)
    assert worker.returncode == 0
    assert gone(engine)
    trap.lose()
    record = fleet.jobs.get(job_id)
    assert (record.status, record.crashes) == ("queued", 0)
    figure(18, "files of the attempt left", len(fleet.violations()))
    fleet.workers(1)
    record = fleet.until_ended(job_id, 60)
    figure(17, "jobs lost", int(record.status != "succeeded"))
