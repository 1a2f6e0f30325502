"""Faults with the real engine: the embedded model in a spawned process, as in production."""

from __future__ import annotations

import os
import signal
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
from tests.workers.fleet import TENANT, Fleet, fleet_of, short, until
from workers.models.profiles import embedded_profile

PROFILE = embedded_profile()
REAL = {"runner": Settings().runner, "model": "embedded", "step_seconds": 60.0, "lease_seconds": 10.0}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("real")
    with embedded_valkey(folder / "valkey") as valkey, connect(valkey.url) as redis:
        with fleet_of(redis, short(valkey.url, folder, **REAL), folder) as fleet:
            worker = fleet.worker()
            until(lambda: (state := fleet.state(worker)) and state.state == "ready", 60)
            yield fleet


def submit(fleet: Fleet, seed: int, steps: int = 8) -> str:
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
    job = NewJob(new_id("ins"), TENANT, PROFILE.name, request, source_key=None)
    fleet.jobs.submit(job)
    tickets.issue(fleet.redis, PROFILE.name)
    return job.id


def picture(fleet: Fleet, record: JobRecord) -> bytes:
    assert record.status == "succeeded", record.error
    assert record.result is not None
    return fleet.artifacts.get(record.result.images[0].url)


@pytest.mark.fault(2)
def test_a_killed_engine_is_replaced_and_its_job_done_once(fleet: Fleet) -> None:
    job_id = submit(fleet, seed=1, steps=60)
    running = fleet.until_under_way(job_id)
    (state,) = fleet.registry.live(PROFILE.name)
    assert state.engine_pid
    os.kill(state.engine_pid, signal.SIGKILL)
    record = fleet.until_ended(job_id, 90)
    assert (running.attempts, record.attempts, record.crashes) == (1, 2, 1)
    assert picture(fleet, record).startswith(b"\x89PNG")
    (after,) = fleet.registry.live(PROFILE.name)
    assert after.engine_pid != state.engine_pid


@pytest.mark.fault(19)
def test_a_running_job_is_canceled_within_a_step(fleet: Fleet) -> None:
    job_id = submit(fleet, seed=2, steps=100)
    fleet.until_under_way(job_id)
    fleet.jobs.cancel(job_id, TENANT)
    assert fleet.until_ended(job_id, 20).status == "canceled"


@pytest.mark.fault(24)
def test_a_job_gives_the_same_picture_alone_and_among_others(fleet: Fleet) -> None:
    alone = picture(fleet, fleet.until_ended(submit(fleet, seed=3), 60))
    jobs = [submit(fleet, seed) for seed in (4, 3, 5)]
    first, among, last = (picture(fleet, fleet.until_ended(job, 90)) for job in jobs)
    assert among == alone
    assert len({first, among, last}) == 3
