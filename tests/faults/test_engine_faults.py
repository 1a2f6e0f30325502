"""What a model can do to its process, and what becomes of the job, the engine and the other jobs."""

from __future__ import annotations

import os
import signal
import time

import psutil
import pytest

from job_store.records import JobRecord
from runtime.settings import Settings
from tests.faults.gateway import gateway_of
from tests.figures import Figure
from tests.workers.fleet import Fleet, short, until


def outcome(record: JobRecord) -> str:
    """The state, or the code of its error."""
    return record.error.code if record.error else record.status


@pytest.mark.fault(1)
@pytest.mark.fault(2)
def test_a_killed_engine_is_replaced_and_its_job_done_once(fleet: Fleet, figure: Figure) -> None:
    [worker] = fleet.workers(1)
    first = fleet.until_ready(worker).engine_pid
    assert first
    in_mid_step = fleet.submit("slow 5")
    fleet.until_under_way(in_mid_step)
    os.kill(first, signal.SIGKILL)
    killed_at = time.monotonic()
    record = fleet.until_ended(in_mid_step)
    seconds = time.monotonic() - killed_at
    assert (record.status, record.attempts, record.crashes) == ("succeeded", 2, 1)
    figure(2, "done again", seconds)
    just_claimed = fleet.submit("slow 5")
    until(lambda: fleet.jobs.get(just_claimed).status == "running")
    os.kill(fleet.state(worker).engine_pid, signal.SIGKILL)  # type: ignore[union-attr, arg-type]
    assert fleet.until_ended(just_claimed).status == "succeeded"


@pytest.mark.fault(2)
def test_an_engine_killed_while_it_stores_leaves_no_pictures(fleet: Fleet) -> None:
    fleet.workers(1)
    assert outcome(fleet.until_ended(fleet.submit("perish"))) == "worker_crashed"
    assert fleet.logs().count("attempt cut short") >= 2
    until(lambda: not fleet.violations())


@pytest.mark.fault(14)
def test_a_poison_job_is_quarantined_and_the_others_run(fleet: Fleet, figure: Figure) -> None:
    [worker] = fleet.workers(1)
    fleet.until_ready(worker)
    poison, *others = fleet.submit("segfault"), *(fleet.submit("a dog") for _ in range(3))
    record = fleet.until_ended(poison, 60)
    assert outcome(record) == "worker_crashed"
    figure(14, "starts", record.attempts)
    ends = [fleet.until_ended(other).status for other in others]
    figure(14, "other jobs failed", sum(status != "succeeded" for status in ends))


@pytest.mark.fault(16)
def test_a_hung_engine_is_killed_and_its_job_given_up(fleet: Fleet) -> None:
    [worker] = fleet.workers(1)
    fleet.until_ready(worker)
    record = fleet.until_ended(fleet.submit("freeze"), 60)
    assert (outcome(record), record.attempts) == ("worker_crashed", 2)
    fleet.until_ready(worker)


@pytest.mark.fault(16)
def test_a_late_job_ends_whether_its_engine_listens_or_not(fleet: Fleet, figure: Figure) -> None:
    [worker] = fleet.workers(1)
    engine = fleet.until_ready(worker).engine_pid
    listening = fleet.until_ended(fleet.submit("slow 400", deadline_seconds=1))
    assert outcome(listening) == "deadline_exceeded"
    assert fleet.until_ready(worker).engine_pid == engine
    deaf = fleet.until_ended(fleet.submit("freeze", deadline_seconds=1))
    assert outcome(deaf) == "deadline_exceeded"
    for late in (listening, deaf):
        assert late.completed_at
        figure(16, "ended after its deadline", (late.completed_at - late.deadline_at).total_seconds())
    fleet.until_ready(worker, other_than=engine)


@pytest.mark.fault(20)
@pytest.mark.fault(23)
def test_failures_of_one_job_leave_the_engine_serving(fleet: Fleet, figure: Figure) -> None:
    [worker] = fleet.workers(1)
    engine = fleet.until_ready(worker).engine_pid
    fleet.until_ended(fleet.submit("a dog"))
    before = psutil.Process(engine).memory_info().rss
    jobs = [fleet.submit(prompt) for prompt in ("oom", "empty", "nan", "bug")]
    records = [fleet.until_ended(job_id) for job_id in jobs]
    outcomes = [outcome(record) for record in records]
    assert outcomes == ["out_of_memory", "invalid_output", "invalid_output", "internal"]
    unfit = [record for record in records if outcome(record) == "invalid_output"]
    figure(23, "pictures delivered", sum(record.result is not None for record in unfit))
    assert fleet.until_ended(fleet.submit("a dog")).status == "succeeded"
    figure(20, "memory kept", (psutil.Process(engine).memory_info().rss - before) / 2**20)
    figure(20, "engines replaced", int(fleet.until_ready(worker).engine_pid != engine))


@pytest.mark.fault(21)
def test_a_broken_device_gets_a_new_process_and_the_job_another_try(fleet: Fleet, figure: Figure) -> None:
    [worker] = fleet.workers(1)
    engine = fleet.until_ready(worker).engine_pid
    record = fleet.until_ended(fleet.submit("cuda"), 60)
    ended_at = time.monotonic()
    assert (outcome(record), record.attempts) == ("worker_crashed", 2)
    fleet.until_ready(worker, other_than=engine)
    figure(21, "fresh engine ready", time.monotonic() - ended_at)
    assert fleet.until_ended(fleet.submit("a dog")).status == "succeeded"


@pytest.mark.fault(22)
def test_an_idle_worker_whose_engine_died_or_fell_ill_says_so(fleet: Fleet, figure: Figure) -> None:
    [worker] = fleet.workers(1)
    first = fleet.until_ready(worker).engine_pid
    assert first
    with gateway_of(fleet, fleet.settings.redis_url) as client:
        until(lambda: client.get("/readyz").status_code == 200)
        os.kill(first, signal.SIGKILL)
        killed_at = time.monotonic()
        until(lambda: client.get("/readyz").status_code == 503, 60)
        figure(22, "gateway not ready", time.monotonic() - killed_at)
    second = fleet.until_ready(worker, other_than=first).engine_pid
    assert outcome(fleet.until_ended(fleet.submit("sick"))) == "internal"
    fleet.until_ready(worker, other_than=second)
    assert "canary failed" in fleet.logs()


@pytest.mark.fault(15)
@pytest.mark.fault(25)
def test_an_engine_that_cannot_load_stops_the_worker(fleet: Fleet, figure: Figure) -> None:
    runner = "tests.workers.scripted_runner:load_broken"
    usual = Settings().max_engine_exits
    worker = fleet.worker(
        short(fleet.settings.redis_url, fleet.folder, runner=runner, max_engine_exits=usual)
    )
    assert worker.wait(120) == 1
    figure(15, "engine exits before it stops", fleet.logs().count("model not loaded"))
    down = [state.pid for state in fleet.registry.all() if state.state == "down"]
    figure(15, "workers shown as down", down.count(worker.pid))
    figure(25, "exit code of the worker", worker.returncode)
    assert "the weights are truncated" in fleet.logs()
