"""What a model can do to its process, and what becomes of the job, the engine and the other jobs."""

from __future__ import annotations

import os
import signal
import time

import pytest

from job_store.records import JobRecord
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
    until(lambda: not fleet.stray_artifacts())


@pytest.mark.fault(14)
def test_a_poison_job_is_quarantined_and_the_others_run(fleet: Fleet) -> None:
    [worker] = fleet.workers(1)
    fleet.until_ready(worker)
    poison, after = fleet.submit("segfault"), fleet.submit("a dog")
    record = fleet.until_ended(poison)
    assert (outcome(record), record.attempts) == ("worker_crashed", 2)
    assert fleet.until_ended(after).status == "succeeded"


@pytest.mark.fault(16)
def test_a_hung_engine_is_killed_and_its_job_given_up(fleet: Fleet) -> None:
    [worker] = fleet.workers(1)
    fleet.until_ready(worker)
    submitted_at = time.monotonic()
    record = fleet.until_ended(fleet.submit("freeze"))
    assert (outcome(record), record.attempts) == ("worker_crashed", 2)
    assert time.monotonic() - submitted_at < 10
    fleet.until_ready(worker)


@pytest.mark.fault(16)
def test_a_late_job_ends_whether_its_engine_listens_or_not(fleet: Fleet) -> None:
    [worker] = fleet.workers(1)
    engine = fleet.until_ready(worker).engine_pid
    listening = fleet.until_ended(fleet.submit("slow 400", deadline_seconds=1))
    assert outcome(listening) == "deadline_exceeded"
    assert fleet.until_ready(worker).engine_pid == engine
    deaf = fleet.until_ended(fleet.submit("freeze", deadline_seconds=1))
    assert outcome(deaf) == "deadline_exceeded"
    assert deaf.completed_at
    assert (deaf.completed_at - deaf.deadline_at).total_seconds() < 10
    fleet.until_ready(worker, other_than=engine)


@pytest.mark.fault(20)
@pytest.mark.fault(23)
def test_failures_of_one_job_leave_the_engine_serving(fleet: Fleet) -> None:
    [worker] = fleet.workers(1)
    engine = fleet.until_ready(worker).engine_pid
    jobs = [fleet.submit(prompt) for prompt in ("oom", "empty", "nan", "bug")]
    outcomes = [outcome(fleet.until_ended(job_id)) for job_id in jobs]
    assert outcomes == ["out_of_memory", "invalid_output", "invalid_output", "internal"]
    assert fleet.until_ended(fleet.submit("a dog")).status == "succeeded"
    assert fleet.until_ready(worker).engine_pid == engine


@pytest.mark.fault(21)
def test_a_broken_device_gets_a_new_process_and_the_job_another_try(fleet: Fleet) -> None:
    [worker] = fleet.workers(1)
    engine = fleet.until_ready(worker).engine_pid
    record = fleet.until_ended(fleet.submit("cuda"))
    assert (outcome(record), record.attempts) == ("worker_crashed", 2)
    fleet.until_ready(worker, other_than=engine)
    assert fleet.until_ended(fleet.submit("a dog")).status == "succeeded"


@pytest.mark.fault(22)
def test_an_idle_worker_whose_engine_died_or_fell_ill_says_so(fleet: Fleet) -> None:
    [worker] = fleet.workers(1)
    first = fleet.until_ready(worker).engine_pid
    assert first
    os.kill(first, signal.SIGKILL)
    killed_at = time.monotonic()
    until(lambda: (state := fleet.state(worker)) and state.state == "loading", 5)
    print(f"not ready {time.monotonic() - killed_at:.1f} s after its engine was killed")  # noqa: T201
    second = fleet.until_ready(worker, other_than=first).engine_pid
    assert outcome(fleet.until_ended(fleet.submit("sick"))) == "internal"
    fleet.until_ready(worker, other_than=second)
    assert "canary failed" in fleet.logs()


@pytest.mark.fault(15)
@pytest.mark.fault(25)
def test_an_engine_that_cannot_load_stops_the_worker(fleet: Fleet) -> None:
    runner = "tests.workers.scripted_runner:load_broken"
    worker = fleet.worker(short(fleet.settings.redis_url, fleet.folder, runner=runner, max_engine_exits=2))
    assert worker.wait(20) == 1
    state = fleet.state(worker)
    assert state is not None
    assert state.state == "down"
    assert fleet.logs().count("model not loaded") == 2
