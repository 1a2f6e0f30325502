"""Workers from outside: jobs go in, results come out, signals are obeyed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from io import BytesIO

from PIL import Image

from api_schemas.base import new_id
from api_schemas.insertions import InsertionRequest
from job_store import tickets
from job_store.footprint import DeviceMemory
from job_store.operations import Operations
from job_store.records import NewJob
from tests.workers.fleet import MODEL, TENANT, Fleet, gone, stop, until


def test_a_job_is_done_and_the_worker_ends_cleanly(fleet: Fleet) -> None:
    [worker] = fleet.workers(1)
    state = fleet.until_ready(worker)
    record = fleet.until_ended(fleet.submit("a dog", seeds=[3, 4], output={"format": "webp"}))
    assert record.status == "succeeded", fleet.logs()
    assert record.result
    assert record.attempts == 1
    assert [image.seed for image in record.result.images] == [3, 4]
    picture = Image.open(BytesIO(fleet.artifacts.get(record.result.images[1].url)))
    assert (picture.format, picture.size) == ("WEBP", (64, 48))
    assert record.result.images[1].mask_url
    mask = Image.open(BytesIO(fleet.artifacts.get(record.result.images[1].mask_url)))
    assert (mask.format, mask.mode) == ("PNG", "L")
    assert stop(worker) == 0
    assert gone(state.engine_pid)
    assert fleet.state(worker) is None
    assert fleet.redis.smembers("rq:workers") == set()


def test_the_registry_tells_who_serves_what(fleet: Fleet) -> None:
    [worker] = fleet.workers(1)
    state = fleet.until_ready(worker)
    assert (state.model, state.pid) == (MODEL, worker.pid)
    assert state.last_ok is not None
    assert [card.name for card in fleet.registry.cards()] == [MODEL]
    job_id = fleet.submit("slow 10")
    until(lambda: (state := fleet.state(worker)) and state.state == "busy")
    fleet.until_ended(job_id)
    later = fleet.until_ready(worker).last_ok
    assert later is not None
    assert later > state.last_ok
    told = fleet.until_ready(worker)
    assert told.memory.sources
    assert told.device == DeviceMemory(100 * told.memory.sources, 1000)
    assert told.resident_bytes is not None
    assert told.resident_bytes > 2**20


def test_two_workers_share_a_queue(fleet: Fleet) -> None:
    fleet.workers(2)
    records = [fleet.until_ended(job_id) for job_id in [fleet.submit("slow 4") for _ in range(6)]]
    assert {record.status for record in records} == {"succeeded"}
    assert len({record.worker for record in records}) == 2
    assert {record.attempts for record in records} == {1}


def test_a_drained_worker_leaves_jobs_to_others(fleet: Fleet) -> None:
    drained, other = (fleet.until_ready(process).name for process in fleet.workers(2))
    operations = Operations(fleet.redis)
    operations.drain(drained)
    records = [fleet.until_ended(fleet.submit()) for _ in range(4)]
    assert {(record.status, record.worker) for record in records} == {("succeeded", other)}
    operations.undrain(drained)
    operations.drain(other)
    assert fleet.until_ended(fleet.submit()).worker == drained
    operations.undrain(other)


def test_edits_of_one_source_go_to_the_idle_worker_that_holds_it(fleet: Fleet) -> None:
    workers = fleet.workers(3)
    sources, runs = [{"kind": "generated", "prompt": scene} for scene in ("a bed", "a beach")], []
    for source in 4 * sources:
        for worker in workers:
            fleet.until_ready(worker)
        runs.append(fleet.until_ended(fleet.submit("a dog", source=source)))
    assert {record.status for record in runs} == {"succeeded"}
    assert len({record.worker for record in runs[::2]}) == 1
    assert len({record.worker for record in runs[1::2]}) == 1


def test_an_edit_waits_for_the_busy_worker_that_holds_its_source(fleet: Fleet) -> None:
    fleet.workers(0)
    patient = fleet.settings.model_copy(update={"affinity_busy_seconds": 60.0})
    names = {fleet.until_ready(fleet.worker(patient)).name for _ in range(2)}
    source = {"kind": "generated", "prompt": "a barn"}
    holder = fleet.until_ended(fleet.submit(source=source)).worker
    assert holder in names
    (other,) = names - {holder}
    operations = Operations(fleet.redis)
    operations.drain(other)
    slow = fleet.submit("slow 20")
    assert fleet.until_under_way(slow).worker == holder
    operations.undrain(other)
    given = {"source": source, "prompt": "a dog", "subject": "dog"}
    request = InsertionRequest.model_validate(given)
    edit = NewJob(new_id("ins"), TENANT, MODEL, request, source_key=None, work=1000, remembered_work=1)
    fleet.jobs.submit(edit)
    tickets.issue(fleet.redis, MODEL)
    passing = fleet.until_ended(fleet.submit())
    assert (passing.status, passing.worker) == ("succeeded", other), "others' jobs are not held up"
    assert fleet.until_ended(edit.id).worker == holder
    assert fleet.until_ended(slow).status == "succeeded"


def test_a_record_without_a_ticket_runs_and_tickets_without_a_record_do_no_harm(fleet: Fleet) -> None:
    for _ in range(5):
        tickets.issue(fleet.redis, MODEL)
    [worker] = fleet.workers(1)
    fleet.until_ready(worker)
    until(lambda: tickets.queue(fleet.redis, MODEL).count == 0)
    assert fleet.until_ended(fleet.submit(ticket=False)).status == "succeeded"


def test_the_supervisor_loads_no_model_library_and_logs_no_prompt(fleet: Fleet) -> None:
    code = "import sys, json, workers.worker, workers.background; print(json.dumps(sorted(sys.modules)))"
    modules = json.loads(subprocess.check_output([sys.executable, "-c", code]))
    assert not {"torch", "diffusers", "transformers", "sam2", "numpy"} & set(modules)
    [worker] = fleet.workers(1)
    fleet.until_ready(worker)
    assert fleet.until_ended(fleet.submit("bug secretly")).status == "failed"
    worker.send_signal(signal.SIGINT)
    assert worker.wait(10) == 0
    assert "attempt failed" in fleet.logs()
    assert "secretly" not in fleet.logs()
