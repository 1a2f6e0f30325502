"""Supervisors that die, freeze or are told to go; tickets lost or forged; callers who change their mind."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import time

import pytest
from rq import Queue

from job_store import tickets
from job_store.errors import WrongState
from job_store.keys import Key
from job_store.records import JobRecord
from tests.figures import Figure
from tests.job_store.samples import events_of
from tests.workers.fleet import MODEL, TENANT, Fleet, gone, until


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
def test_a_killed_supervisor_takes_its_engine_along_and_the_job_is_rerun(
    fleet: Fleet, figure: Figure, prompt: str
) -> None:
    fleet.workers(2)
    job_id = fleet.submit(prompt)
    worker = owner(fleet, fleet.until_under_way(job_id))
    engine = engine_of(fleet, worker)
    worker.kill()
    killed_at = time.monotonic()
    until(lambda: gone(engine), 30)
    figure(3, "engine gone", time.monotonic() - killed_at)
    until(lambda: fleet.jobs.get(job_id).attempts == 2, 60)
    figure(3, "run again", time.monotonic() - killed_at)
    record = fleet.until_ended(job_id, 60)
    assert record.status == ("succeeded" if prompt == "slow 30" else "failed")
    worker.wait()


@pytest.mark.fault(4)
@pytest.mark.fault(13)
def test_a_lost_ticket_loses_nothing_and_a_doubled_one_doubles_nothing(fleet: Fleet, figure: Figure) -> None:
    fleet.workers(1)
    queue = tickets.queue(fleet.redis, MODEL)
    lost = fleet.submit(ticket=False)
    queue.enqueue("job_store.tickets.run_record", job_id="dequeued-by-a-worker-that-died")
    fleet.redis.lrem(queue.key, 1, "dequeued-by-a-worker-that-died")
    fleet.redis.lpush(queue.intermediate_queue_key, "dequeued-by-a-worker-that-died")
    figure(4, "starts of a job whose ticket was lost", fleet.until_ended(lost, 60).attempts)
    doubled = fleet.submit()
    for _ in range(4):
        tickets.issue(fleet.redis, MODEL)
    assert fleet.until_ended(doubled).attempts == 1
    until(lambda: queue.count == 0)
    figure(13, "starts", fleet.jobs.get(doubled).attempts)


@pytest.mark.fault(5)
@pytest.mark.fault(6)
@pytest.mark.parametrize("with_engine", [True, False])
def test_a_paused_worker_is_overtaken_and_then_refused(
    fleet: Fleet, figure: Figure, with_engine: bool
) -> None:
    fleet.workers(2)
    job_id = fleet.submit(
        "slow 30", webhook={"url": "https://127.0.0.1:9/", "events": ["insertion.succeeded"]}
    )
    worker = owner(fleet, fleet.until_under_way(job_id))
    engine = engine_of(fleet, worker)
    paused = [worker.pid, engine] if with_engine else [worker.pid]
    for pid in paused:
        os.kill(pid, signal.SIGSTOP)
    paused_at = time.monotonic()
    record = fleet.until_ended(job_id, 60)
    figure(5, "done elsewhere", time.monotonic() - paused_at)
    assert (record.status, record.attempts) == ("succeeded", 2)
    already = refusals(fleet)
    for pid in paused:
        os.kill(pid, signal.SIGCONT)
    if with_engine:
        until(lambda: refusals(fleet) > already, 30)
        figure(5, "late commits refused", refusals(fleet) - already)
    assert fleet.until_ready(worker).engine_pid == engine
    assert fleet.jobs.get(job_id) == record
    told = [kind for kind, _ in events_of(fleet.redis, job_id) if kind == "completed"]
    figure(6, "results", len(told))
    figure(6, "webhooks", len([*fleet.redis.scan_iter(f"{Key.DELIVERY}*/msg_{job_id}")]))
    assert fleet.violations() == []


@pytest.mark.fault(17)
def test_sigterm_lets_the_job_finish(fleet: Fleet) -> None:
    fleet.workers(1)
    job_id = fleet.submit("slow 15")
    worker = owner(fleet, fleet.until_under_way(job_id))
    worker.send_signal(signal.SIGTERM)
    waiting = fleet.submit("a dog")
    assert worker.wait(60) == 0
    record = fleet.jobs.get(job_id)
    assert (record.status, record.attempts) == ("succeeded", 1)
    fleet.workers(1)
    assert fleet.until_ended(waiting).attempts == 1


@pytest.mark.fault(19)
def test_cancel_takes_effect_within_a_step(fleet: Fleet, figure: Figure) -> None:
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
    figure(19, "canceled", time.monotonic() - canceled_at)
    assert fleet.jobs.cancel(running, TENANT).status == "canceled"
    finished = fleet.submit("a dog")
    fleet.until_ended(finished)
    with pytest.raises(WrongState):
        fleet.jobs.cancel(finished, TENANT)
    figure(19, "engines replaced", int(engine_of(fleet, worker) != engine))


def test_a_dropped_seed_stays_dropped_though_the_engine_dies(fleet: Fleet) -> None:
    [worker] = fleet.workers(1)
    job_id = fleet.submit("slow 60", seeds=[1, 2])
    fleet.until_under_way(job_id)
    fleet.jobs.drop_seed(job_id, TENANT, 1, 1)
    until(lambda: "attempt asked to drop seeds" in fleet.logs())
    engine = engine_of(fleet, worker)
    os.kill(engine, signal.SIGKILL)
    killed = fleet.until_ended(job_id)
    once = fleet.submit("slow 40", seeds=[1, 2])
    fleet.until_under_way(once)
    fleet.jobs.drop_seed(once, TENANT, 2, 1)
    heard = fleet.until_ended(once)
    for record, attempts, kept in ((killed, 2, 2), (heard, 1, 1)):
        assert (record.status, record.attempts) == ("succeeded", attempts)
        assert record.result
        assert [image.seed for image in record.result.images] == [kept]
        assert [one.seed for one in record.result.dropped] == [3 - kept]


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
def test_forged_rq_jobs_are_refused_unread(fleet: Fleet, figure: Figure) -> None:
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
    refused = until(lambda: (count := fleet.logs().count("job in the ticket queue refused")) >= 4 and count)
    figure(55, "forged jobs refused", refused)
    figure(55, "commands run", sum(mark.exists() for mark in marks))
    assert not fleet.redis.exists(forged.key, callback.key, garbage.key)
