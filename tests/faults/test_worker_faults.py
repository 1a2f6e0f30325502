"""Supervisors that die, freeze or are told to go; tickets lost or forged; callers who change their mind."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import time
from collections.abc import Callable

import pytest
from rq import Queue

from job_store import tickets
from job_store.errors import WrongState
from job_store.records import JobRecord
from tests.workers.fleet import MODEL, TENANT, Fleet, gone, short, until


@pytest.fixture(scope="module", autouse=True)
def background(fleet: Fleet) -> subprocess.Popen[bytes]:
    return fleet.background()


def owner(fleet: Fleet, record: JobRecord) -> subprocess.Popen[bytes]:
    """The process of the worker that runs a record."""
    state = next(state for state in fleet.registry.all() if state.name == record.worker)
    return next(process for process in fleet.processes if process.pid == state.pid)


def engine_of(fleet: Fleet, worker: subprocess.Popen[bytes]) -> int:
    state = fleet.state(worker)
    assert state is not None
    assert state.engine_pid is not None
    return state.engine_pid


def refusals(fleet: Fleet) -> int:
    """How often an attempt found that its record was another's."""
    return fleet.logs().count("superseded") + fleet.logs().count("refused: another attempt")


@pytest.mark.fault(3)
@pytest.mark.parametrize("prompt", ["slow 30", "freeze"])
def test_a_killed_supervisor_takes_its_engine_along_and_the_job_is_rerun(fleet: Fleet, prompt: str) -> None:
    fleet.workers(2)
    job_id = fleet.submit(prompt)
    worker = owner(fleet, fleet.until_under_way(job_id))
    engine = engine_of(fleet, worker)
    worker.kill()
    killed_at = time.monotonic()
    until(lambda: gone(engine), 3)
    engine_seconds = time.monotonic() - killed_at
    until(lambda: fleet.jobs.get(job_id).attempts == 2)
    rerun_seconds = time.monotonic() - killed_at
    print(f"kill -9 of the supervisor: engine gone {engine_seconds:.2f} s, rerun {rerun_seconds:.1f} s")  # noqa: T201
    record = fleet.until_ended(job_id)
    assert record.status == ("succeeded" if prompt == "slow 30" else "failed")
    worker.wait()


@pytest.mark.fault(4)
@pytest.mark.fault(13)
def test_a_lost_ticket_loses_nothing_and_a_doubled_one_doubles_nothing(fleet: Fleet) -> None:
    fleet.workers(1)
    queue = tickets.queue(fleet.redis, MODEL)
    lost = fleet.submit(ticket=False)
    queue.enqueue("job_store.tickets.run_record", job_id="dequeued-by-a-worker-that-died")
    fleet.redis.lrem(queue.key, 1, "dequeued-by-a-worker-that-died")
    fleet.redis.lpush(queue.intermediate_queue_key, "dequeued-by-a-worker-that-died")
    assert fleet.until_ended(lost, 5).attempts == 1
    doubled = fleet.submit()
    for _ in range(4):
        tickets.issue(fleet.redis, MODEL)
    assert fleet.until_ended(doubled).attempts == 1
    until(lambda: queue.count == 0)
    assert fleet.jobs.get(doubled).attempts == 1


@pytest.mark.fault(5)
@pytest.mark.fault(6)
@pytest.mark.parametrize("with_engine", [True, False])
def test_a_paused_worker_is_overtaken_and_then_refused(fleet: Fleet, with_engine: bool) -> None:
    fleet.workers(2)
    job_id = fleet.submit(
        "slow 30", webhook={"url": "https://127.0.0.1:9/", "events": ["insertion.succeeded"]}
    )
    worker = owner(fleet, fleet.until_under_way(job_id))
    engine = engine_of(fleet, worker)
    paused = [worker.pid, engine] if with_engine else [worker.pid]
    for pid in paused:
        os.kill(pid, signal.SIGSTOP)
    record = fleet.until_ended(job_id)
    assert (record.status, record.attempts) == ("succeeded", 2)
    already = refusals(fleet)
    for pid in paused:
        os.kill(pid, signal.SIGCONT)
    if with_engine:
        until(
            lambda: (
                fleet.logs().count("superseded") + fleet.logs().count("refused: another attempt") > already
            )
        )
    assert fleet.until_ready(worker).engine_pid == engine
    assert fleet.jobs.get(job_id) == record
    assert fleet.stray_artifacts() == []


@pytest.mark.fault(17)
def test_sigterm_lets_the_job_finish(fleet: Fleet) -> None:
    fleet.workers(1)
    job_id = fleet.submit("slow 15")
    worker = owner(fleet, fleet.until_under_way(job_id))
    worker.send_signal(signal.SIGTERM)
    waiting = fleet.submit("a dog")
    assert worker.wait(15) == 0
    record = fleet.jobs.get(job_id)
    assert (record.status, record.attempts) == ("succeeded", 1)
    fleet.workers(1)
    assert fleet.until_ended(waiting).attempts == 1


@pytest.mark.fault(17)
@pytest.mark.fault(18)
def test_out_of_grace_or_told_twice_the_job_is_given_back(fleet: Fleet) -> None:
    [told_twice] = fleet.workers(1)
    job_id = fleet.submit("slow 40")
    fleet.until_under_way(job_id)

    def over_after_more() -> bool:
        told_twice.send_signal(signal.SIGTERM)  # all within a second count as one
        return told_twice.poll() is not None

    assert_given_back(fleet, told_twice, job_id, over_after_more)
    hurried = fleet.worker(short(fleet.settings.redis_url, fleet.folder, grace_seconds=0.2))
    fleet.until_under_way(job_id)
    hurried.send_signal(signal.SIGTERM)
    assert_given_back(fleet, hurried, job_id, lambda: hurried.poll() is not None)
    fleet.workers(1)
    record = fleet.until_ended(job_id)
    assert (record.status, record.attempts) == ("succeeded", 3)


def assert_given_back(
    fleet: Fleet, worker: subprocess.Popen[bytes], job_id: str, over: Callable[[], bool]
) -> None:
    engine = engine_of(fleet, worker)
    until(over, 5)
    assert worker.returncode == 0
    assert gone(engine)
    record = fleet.jobs.get(job_id)
    assert (record.status, record.crashes) == ("queued", 0)
    assert fleet.stray_artifacts() == []


@pytest.mark.fault(19)
def test_cancel_takes_effect_within_a_step(fleet: Fleet) -> None:
    [worker] = fleet.workers(1)
    engine = engine_of(fleet, worker)
    running = fleet.submit("slow 400")
    fleet.until_under_way(running)
    queued = fleet.submit("a dog")
    assert fleet.jobs.cancel(queued, TENANT).status == "canceled"
    fleet.jobs.cancel(running, TENANT)
    canceled_at = time.monotonic()
    assert fleet.jobs.cancel(running, TENANT).cancel_requested
    assert fleet.until_ended(running).status == "canceled"
    seconds = time.monotonic() - canceled_at
    print(f"canceled in {seconds:.2f} s")  # noqa: T201
    assert seconds < 2
    assert fleet.jobs.cancel(running, TENANT).status == "canceled"
    finished = fleet.submit("a dog")
    fleet.until_ended(finished)
    with pytest.raises(WrongState):
        fleet.jobs.cancel(finished, TENANT)
    assert engine_of(fleet, worker) == engine


@pytest.mark.fault(19)
def test_a_canceled_job_that_does_not_listen_costs_its_engine(fleet: Fleet) -> None:
    [worker] = fleet.workers(1)
    engine = engine_of(fleet, worker)
    job_id = fleet.submit("freeze")
    fleet.until_under_way(job_id)
    fleet.jobs.cancel(job_id, TENANT)
    assert fleet.until_ended(job_id).status == "canceled"
    fleet.until_ready(worker, other_than=engine)


@pytest.mark.fault(55)
def test_forged_rq_jobs_are_refused_unread(fleet: Fleet) -> None:
    marks = [fleet.folder / name for name in ("called", "unpickled", "called-back")]
    queue = tickets.queue(fleet.redis, MODEL)
    called, unpickled, called_back = (f"touch {mark}" for mark in marks)

    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.system, (unpickled,)

    queue.enqueue("os.system", called)
    forged = Queue(queue.name, connection=fleet.redis).enqueue("os.system", called)
    fleet.redis.hset(forged.key, mapping={"data": pickle.dumps(Trap()), "meta": pickle.dumps(Trap())})
    callback = queue.enqueue("job_store.tickets.run_record")
    fleet.redis.hset(callback.key, "success_callback_name", "os.system")
    garbage = queue.enqueue("job_store.tickets.run_record")
    fleet.redis.hset(garbage.key, mapping={"created_at": "when?", "status": "?", "timeout": "soon"})
    fleet.workers(1)  # now: it may not see them half forged
    until(lambda: queue.count == 0 and fleet.redis.llen(queue.intermediate_queue_key) == 0)
    assert fleet.until_ended(fleet.submit("a dog")).status == "succeeded"
    assert fleet.logs().count("job in the ticket queue refused") == 4
    assert not any(mark.exists() for mark in marks)
    assert not fleet.redis.exists(forged.key, callback.key, garbage.key)
