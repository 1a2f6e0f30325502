"""A deleted job's source is remembered by no worker, idle or busy; another job's source stays."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from api_schemas.base import new_id
from api_schemas.insertions import InsertionRequest
from client.examples import examples
from job_store import tickets
from job_store.connection import connect
from job_store.keys import Key
from job_store.memory_use import MemoryUse
from job_store.records import JobRecord, NewJob
from runtime.settings import Settings
from runtime.valkey import embedded_valkey
from tests.workers.fleet import TENANT, Fleet, fleet_of, short, stop, until
from workers.models.profiles import embedded_profile

PROMISED_SECONDS = 5.0
"""docs/operating.md: of an idle worker, or after the job in hand."""


def source(prompt: str) -> dict[str, object]:
    return {"kind": "generated", "prompt": prompt}


def run(fleet: Fleet, scene: str, prompt: str = "a dog") -> JobRecord:
    record = fleet.until_ended(fleet.submit(prompt, source=source(scene)))
    assert record.status == "succeeded", fleet.logs()
    return record


def memory(fleet: Fleet, worker: subprocess.Popen[bytes]) -> MemoryUse:
    state = fleet.state(worker)
    return state.memory if state else MemoryUse()


def sources(fleet: Fleet, worker: subprocess.Popen[bytes]) -> int:
    return memory(fleet, worker).sources


def holding(fleet: Fleet, worker: subprocess.Popen[bytes], count: int) -> MemoryUse:
    """The worker's memory as soon as it knows so many sources."""

    def reached() -> MemoryUse | None:
        use = memory(fleet, worker)
        return use if use.sources == count else None

    return until(reached, PROMISED_SECONDS)


def found(record: JobRecord) -> str:
    """hit or miss"""
    assert record.result is not None
    return record.result.cost.source_memory


def test_deleting_a_job_forgets_its_source_and_no_other(fleet: Fleet) -> None:
    [worker] = fleet.workers(1)
    bed, _ = run(fleet, "a bed"), run(fleet, "a beach")
    assert found(run(fleet, "a bed")) == "hit"
    holding(fleet, worker, 2)
    fleet.jobs.delete(bed.id, TENANT)
    holding(fleet, worker, 1)
    assert found(run(fleet, "a beach")) == "hit"
    assert found(run(fleet, "a bed")) == "miss"


def test_a_busy_worker_forgets_after_its_job_and_before_the_next(fleet: Fleet) -> None:
    [worker] = fleet.workers(1)
    street = run(fleet, "a street")
    working, next_one = (fleet.submit(prompt, source=source("a street")) for prompt in ("slow 20", "a cat"))
    fleet.until_under_way(working)
    fleet.jobs.delete(street.id, TENANT)
    assert found(fleet.until_ended(working)) == "hit"
    assert found(fleet.until_ended(next_one)) == "miss"


def test_every_worker_forgets(fleet: Fleet) -> None:
    workers = fleet.workers(2)
    slow = [fleet.submit("slow 60", source=source("a field")) for _ in workers]
    done = [fleet.until_ended(job_id) for job_id in slow]
    assert len({record.worker for record in done}) == 2
    before = [fleet.until_ready(worker).memory.sources for worker in workers]
    fleet.jobs.delete(done[0].id, TENANT)
    for worker, held in zip(workers, before, strict=True):
        holding(fleet, worker, held - 1)


def test_a_worker_that_missed_too_much_forgets_everything(fleet: Fleet) -> None:
    [worker] = fleet.workers(1)
    run(fleet, "a bed")
    until(partial(sources, fleet, worker))
    fleet.redis.incrby(Key.FORGOTTEN_NUMBER, 20_000)
    holding(fleet, worker, 0)


def test_hits_are_counted_over_engines(fleet: Fleet) -> None:
    [worker] = fleet.workers(1)
    for _ in range(2):
        run(fleet, "a harbour")
    until(partial(sources, fleet, worker))
    before = memory(fleet, worker)
    dying = fleet.until_ended(fleet.submit("segfault", source=source("a cliff")))
    assert dying.status == "failed"
    after = holding(fleet, worker, 0)
    assert (after.hits, after.misses) >= (before.hits, before.misses) != (0, 0)


PROFILE = embedded_profile()


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """The embedded model in its engine; what is remembered does not fit the device and lies on disk."""
    folder = tmp_path_factory.mktemp("real")
    settings = {
        "runner": Settings().runner, "model": "embedded", "step_seconds": 60.0, "lease_seconds": 10.0,
        "source_memory_gib": 0.0, "source_memory_host_gib": 0.002, "source_memory_disk_gib": 1.0,
        "source_memory_folder": str(folder / "memory"),
    }  # fmt: skip
    with embedded_valkey(folder / "valkey") as valkey, connect(valkey.url) as redis:
        with fleet_of(redis, short(valkey.url, folder, **settings), folder) as fleet:
            yield fleet


def edit(fleet: Fleet, seed: int) -> JobRecord:
    """An edit of the picture that the source's seed makes."""
    example = examples()[0]
    request = InsertionRequest.model_validate(
        {
            "source": {"kind": "generated", "prompt": example.source_prompt, "seed": seed},
            "prompt": example.prompt,
            "subject": example.subject,
            "seeds": [1],
            "options": {"num_inference_steps": 8, "localizer": "attention"},
        }
    )
    job = NewJob(new_id("ins"), TENANT, PROFILE.name, request, source_key=None)
    fleet.jobs.submit(job)
    tickets.issue(fleet.redis, PROFILE.name)
    record = fleet.until_ended(job.id, 90)
    assert record.status == "succeeded", fleet.logs()
    return record


def files(fleet: Fleet) -> int:
    return sum(1 for _ in Path(fleet.settings.source_memory_folder).rglob("*.pt"))


def test_keys_and_values_of_a_deleted_job_leave_host_and_disk(real: Fleet) -> None:
    worker = real.worker()
    until(lambda: (state := real.state(worker)) and state.state == "ready", 60)
    first, second = edit(real, 1), edit(real, 2)
    assert (found(first), found(second)) == ("miss", "miss")
    full = holding(real, worker, 2)
    tiers = {tier.tier: tier.held for tier in full.tiers}
    assert tiers["device"] == 0
    assert tiers["host"] > 0
    assert tiers["disk"] > 0
    both = files(real)
    real.jobs.delete(first.id, TENANT)
    holding(real, worker, 1)
    until(lambda: 0 < files(real) < both, PROMISED_SECONDS)
    assert found(edit(real, 2)) == "hit"
    assert found(edit(real, 1)) == "miss"
    assert stop(worker) == 0
    assert files(real) == 0
