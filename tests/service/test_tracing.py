"""A request is a span; the job it makes belongs to it, however it was made."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest
from opentelemetry.trace import SpanKind, StatusCode

from job_store.jobs import JobStore
from job_store.workers import WorkerRegistry
from tests.runtime.recording import Recording, named_by, parent_of, recording
from tests.runtime.test_telemetry import MALFORMED, TRACE
from tests.service.conftest import BODY

NEW = "POST /v1/insertions"


@pytest.fixture
def spans(address: str) -> Iterator[Recording]:
    """Those of the gateway, which runs in this process."""
    with recording() as spans:
        yield spans


def test_a_job_stands_below_its_requests_span(
    spans: Recording, client: httpx.Client, worker: WorkerRegistry, store: JobStore
) -> None:
    headers = {"traceparent": TRACE, "X-Request-Id": "req-7"}
    job = client.post("/v1/insertions", json=BODY, headers=headers).json()
    (request,) = spans.named(NEW)
    assert (parent_of(request), request.kind) == (TRACE, SpanKind.SERVER)
    assert store.get(job["id"]).traceparent == named_by(request)
    assert dict(request.attributes or {}) == {
        "http.request.method": "POST", "http.route": "/v1/insertions", "http.response.status_code": 202,
        "addit.request_id": "req-7", "addit.job_id": job["id"], "addit.tenant": "acme",
    }  # fmt: skip


def test_a_variation_and_a_batchs_line_belong_to_the_requests_that_made_them(
    spans: Recording, client: httpx.Client, worker: WorkerRegistry, store: JobStore
) -> None:
    parent = client.post("/v1/insertions", json=BODY).json()["id"]
    client.post(f"/v1/insertions/{parent}/variations", json={"seeds": [2]})
    client.post("/v1/batches", content=json.dumps(BODY), headers={"Content-Type": "application/jsonl"})
    records = store.list("acme")[0]
    makers = [NEW, "POST /v1/insertions/{job_id}/variations", "POST /v1/batches"]
    assert {record.traceparent for record in records} == {named_by(spans.named(name)[0]) for name in makers}
    assert len(records) == 3


@pytest.mark.parametrize("header", [*MALFORMED[1:], None])
def test_a_malformed_header_is_ignored(
    spans: Recording, client: httpx.Client, worker: WorkerRegistry, store: JobStore, header: str | None
) -> None:
    answer = client.post("/v1/insertions", json=BODY, headers={"traceparent": header} if header else {})
    assert answer.status_code == 202
    (request,) = spans.named(NEW)
    assert request.parent is None
    assert store.get(answer.json()["id"]).traceparent == named_by(request)


def test_two_headers_are_none(spans: Recording, client: httpx.Client) -> None:
    client.get("/v1/models", headers=[("traceparent", TRACE), ("traceparent", TRACE)])
    assert spans.named("GET /v1/models")[0].parent is None


def test_machines_questions_are_not_traced(spans: Recording, client: httpx.Client) -> None:
    for path in ("/livez", "/readyz", "/metrics"):
        client.get(path)
    assert spans.all() == []


def test_no_path_or_query_stands_in_a_span(spans: Recording, client: httpx.Client) -> None:
    client.get("/v1/artifacts/t/acme/j/xylophone.png?expires=1&signature=c2VjcmV0")
    client.get("/nowhere/xylophone")
    told = [span.to_json() for span in spans.first(2)]
    assert len(told) == 2
    assert not [one for one in told if "xylophone" in one or "c2VjcmV0" in one]
    assert {span.status.status_code for span in spans.all()} == {StatusCode.UNSET}


def test_without_traces_the_callers_own_is_kept_with_the_job(
    client: httpx.Client, worker: WorkerRegistry, store: JobStore
) -> None:
    job = client.post("/v1/insertions", json=BODY, headers={"traceparent": TRACE}).json()
    alone = client.post("/v1/insertions", json=BODY).json()
    assert store.get(job["id"]).traceparent == TRACE
    assert store.get(alone["id"]).traceparent is None
