"""What a tenant sees of a job."""

from __future__ import annotations

from api_schemas.jobs import QueueState
from job_store.jobs import JobStore
from job_store.views import to_job
from tests.job_store.samples import MODEL, PROGRESS, TENANT, new_job, result, start

BASE = "https://addit.example.com/"


def link(key: str) -> str:
    return f"/v1/artifacts/{key}?signed"


def test_a_queued_job_shows_its_place_and_where_to_go_on(store: JobStore) -> None:
    record, _ = store.submit(new_job(metadata={"order": "4711"}))
    job = to_job(record, QueueState(position=3), link, BASE)
    assert (job.status, job.model, job.metadata) == ("queued", MODEL, {"order": "4711"})
    assert job.queue is not None
    assert job.queue.position == 3
    url = f"https://addit.example.com/v1/insertions/{record.id}"
    assert job.urls.model_dump() == {"self": url, "events": f"{url}/events", "cancel": f"{url}/cancel"}


def test_a_running_job_shows_its_progress(store: JobStore) -> None:
    claim = start(store)
    store.report(claim.record.id, claim.token, PROGRESS)
    job = to_job(store.get(claim.record.id), None, link, BASE)
    assert (job.status, job.progress, job.queue, job.attempts) == ("running", PROGRESS, None, 1)


def test_a_result_has_absolute_signed_links_where_it_had_keys(store: JobStore) -> None:
    claim = start(store)
    done = result().model_copy(update={"source_url": "t/acme/source.png"})
    store.commit(claim.record.id, claim.token, done)
    record = store.get(claim.record.id)
    shown = to_job(record, None, link, BASE).result
    assert shown is not None
    image = shown.images[0]
    prefix = "https://addit.example.com/v1/artifacts/t/acme"
    assert image.url == f"{prefix}/j/ins_1/a/0.png?signed"
    assert image.mask_url == f"{prefix}/j/ins_1/a/mask.png?signed"
    assert (image.attention_url, image.cutout_url) == (None, None)
    assert shown.source_url == f"{prefix}/source.png?signed"
    assert record.result == done
    absolute = to_job(record, None, lambda key: f"https://cdn/{key}", BASE).result
    assert absolute is not None
    assert absolute.source_url == "https://cdn/t/acme/source.png"


def test_nothing_of_the_inside_shows(store: JobStore) -> None:
    claim = start(store)
    shown = to_job(store.get(claim.record.id, TENANT), None, link, BASE).model_dump_json()
    assert claim.token not in shown
    assert "worker-1" not in shown
    assert "tenant" not in shown
