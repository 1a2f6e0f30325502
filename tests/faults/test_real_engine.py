"""Faults with the real engine: the embedded model in a spawned process, as in production."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from api_schemas.base import new_id
from api_schemas.insertions import InsertionRequest
from client.examples import examples
from job_store import tickets
from job_store.connection import connect
from job_store.records import JobRecord, NewJob
from runtime.settings import Settings
from runtime.valkey import embedded_valkey
from tests.figures import Figure
from tests.workers.fleet import TENANT, Fleet, fleet_of, gone, short, until
from workers.models.profiles import embedded_profile

pytestmark = pytest.mark.timeout(600)  # loading is all computing: a busy machine takes its time
PROFILE = embedded_profile()
REAL = {
    "runner": Settings().runner, "model": "embedded", "step_seconds": 60.0, "lease_seconds": 5.0,
    "grace_seconds": 120.0,
}  # fmt: skip


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("real")
    with embedded_valkey(folder / "valkey") as valkey, connect(valkey.url) as redis:
        with fleet_of(redis, short(valkey.url, folder, **REAL), folder) as fleet:
            fleet.ready_seconds = 300.0
            fleet.background()
            yield fleet


def submit(fleet: Fleet, seed: int, steps: int = 8, tenant: str = TENANT) -> str:
    example = examples()[0]
    request = InsertionRequest.model_validate(
        {
            "source": {"kind": "generated", "prompt": example.source_prompt, "seed": seed},
            "prompt": example.prompt,
            "subject": example.subject,
            "seeds": [seed],
            "options": {"num_inference_steps": steps, "localizer": "attention"},
        }
    )
    job = NewJob(new_id("ins"), tenant, PROFILE.name, request, source_key=None)
    fleet.jobs.submit(job)
    tickets.issue(fleet.redis, PROFILE.name)
    return job.id


def picture(fleet: Fleet, record: JobRecord) -> bytes:
    assert record.status == "succeeded", record.error
    assert record.result is not None
    return fleet.artifacts.get(record.result.images[0].url)


def owner(fleet: Fleet, record: JobRecord) -> tuple[subprocess.Popen[bytes], int]:
    """The worker that runs a record, and its engine's process id."""
    state = next(state for state in fleet.registry.all() if state.name == record.worker)
    assert state.engine_pid
    return next(process for process in fleet.processes if process.pid == state.pid), state.engine_pid


@pytest.mark.fault(2)
def test_a_killed_engine_is_replaced_and_its_job_done_once(fleet: Fleet, figure: Figure) -> None:
    [worker] = fleet.workers(1)
    job_id = submit(fleet, seed=1, steps=60)
    running = fleet.until_under_way(job_id)
    _, engine = owner(fleet, running)
    os.kill(engine, signal.SIGKILL)
    killed_at = time.monotonic()
    until(lambda: fleet.jobs.get(job_id).attempts == 2, 300)
    figure(2, "real engine back at the job", time.monotonic() - killed_at)
    record = fleet.until_ended(job_id, 120)
    assert (running.attempts, record.attempts, record.crashes) == (1, 2, 1)
    assert picture(fleet, record).startswith(b"\x89PNG")
    fleet.until_ready(worker, other_than=engine)


@pytest.mark.fault(19)
def test_a_running_job_is_canceled_within_a_step(fleet: Fleet, figure: Figure) -> None:
    [worker] = fleet.workers(1)
    engine = fleet.until_ready(worker).engine_pid
    job_id = submit(fleet, seed=2, steps=100)
    fleet.until_under_way(job_id)
    fleet.jobs.cancel(job_id, TENANT)
    canceled_at = time.monotonic()
    assert fleet.until_ended(job_id, 60).status == "canceled"
    figure(19, "canceled", time.monotonic() - canceled_at)
    figure(19, "engines replaced", int(fleet.until_ready(worker).engine_pid != engine))


@pytest.mark.fault(24)
def test_a_job_gives_the_same_picture_alone_and_among_other_tenants(fleet: Fleet, figure: Figure) -> None:
    fleet.workers(1)
    alone = picture(fleet, fleet.until_ended(submit(fleet, seed=3), 120))
    jobs = [
        submit(fleet, seed, tenant=tenant) for seed, tenant in ((4, "globex"), (3, TENANT), (5, "initech"))
    ]
    first, among, last = (picture(fleet, fleet.until_ended(job, 120)) for job in jobs)
    figure(24, "pictures that differ alone and among others", int(among != alone))
    assert len({first, among, last}) == 3


@pytest.mark.fault(5)
def test_a_paused_worker_is_overtaken_and_then_refused(fleet: Fleet, figure: Figure) -> None:
    fleet.workers(2)
    job_id = submit(fleet, seed=6, steps=30)
    worker, engine = owner(fleet, fleet.until_under_way(job_id))
    for pid in (worker.pid, engine):
        os.kill(pid, signal.SIGSTOP)
    paused_at = time.monotonic()
    until(lambda: fleet.jobs.get(job_id).attempts == 2, 60)
    figure(5, "taken over from a real engine", time.monotonic() - paused_at)
    record = fleet.until_ended(job_id, 120)
    assert record.status == "succeeded"
    before = fleet.logs().count("superseded")
    for pid in (worker.pid, engine):
        os.kill(pid, signal.SIGCONT)
    until(lambda: fleet.logs().count("superseded") > before, 60)
    figure(5, "late commits refused", fleet.logs().count("superseded") - before)
    assert fleet.jobs.get(job_id) == record


@pytest.mark.fault(3)
def test_a_killed_supervisor_takes_its_engine_along_and_the_job_is_rerun(
    fleet: Fleet, figure: Figure
) -> None:
    fleet.workers(2)
    job_id = submit(fleet, seed=7, steps=30)
    worker, engine = owner(fleet, fleet.until_under_way(job_id))
    worker.kill()
    killed_at = time.monotonic()
    until(lambda: gone(engine), 30)
    figure(3, "engine gone", time.monotonic() - killed_at)
    until(lambda: fleet.jobs.get(job_id).attempts == 2, 60)
    figure(3, "run again", time.monotonic() - killed_at)
    assert fleet.until_ended(job_id, 120).status == "succeeded"
    worker.wait()


@pytest.mark.fault(17)
def test_sigterm_lets_the_job_finish(fleet: Fleet, figure: Figure) -> None:
    fleet.workers(1)
    job_id = submit(fleet, seed=8, steps=20)
    worker, _ = owner(fleet, fleet.until_under_way(job_id))
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(120) == 0
    record = fleet.jobs.get(job_id)
    figure(17, "jobs lost", int(record.status != "succeeded"))
    figure(17, "starts of a job that had its grace", record.attempts)
