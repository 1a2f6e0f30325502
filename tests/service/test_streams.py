"""A job's events as they arrive at a client, and after the line broke."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from redis import Redis

from api_schemas.events import JobEvent, Preview
from api_schemas.jobs import Progress
from job_store.api_keys import ApiKeys
from job_store.artifacts import ArtifactStore, attempt_key
from job_store.jobs import JobStore
from runtime.valkey import EmbeddedValkey
from service import streams
from tests.service.conftest import BODY, CARD, make_settings, serving
from tests.service.pictures import encoded, gradient

pytestmark = pytest.mark.usefixtures("worker")


def events_of(client: httpx.Client, job_id: str, after: str | None = None) -> Iterator[JobEvent]:
    """What a browser's EventSource would see."""
    headers = {"Last-Event-ID": after} if after else {}
    with client.stream("GET", f"/v1/insertions/{job_id}/events", headers=headers) as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        fields: dict[str, str] = {}
        for line in answer.iter_lines():
            name, _, value = line.partition(": ")
            if line:
                fields[name] = value
            elif "data" in fields:
                event = JobEvent.model_validate_json(fields["data"])
                assert (fields["id"], fields["event"]) == (event.id, event.type)
                yield event
                fields = {}


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not holds():
        assert time.monotonic() < deadline


@pytest.fixture
def job_id(client: httpx.Client) -> str:
    identity: str = client.post("/v1/insertions", json=BODY).json()["id"]
    return identity


def test_events_arrive_while_the_job_runs(client: httpx.Client, job_id: str, store: JobStore) -> None:
    stream = events_of(client, job_id)
    assert next(stream).type == "queued"
    claim = store.claim(CARD.name, "one", 30_000)
    assert claim
    assert next(stream).type == "started"
    store.report(job_id, claim.token, Progress(stage="denoise", step=1, total=10, percent=10))
    assert next(stream).type == "stage"
    store.report(job_id, claim.token, Progress(stage="denoise", step=2, total=10, percent=20))
    assert next(stream).data["step"] == 2
    store.canceled(job_id, claim.token)
    assert [event.type for event in stream] == ["completed"]


@pytest.mark.fault(56)
def test_a_stream_resumes_after_its_last_event(
    client: httpx.Client, job_id: str, finish: Callable[[], str]
) -> None:
    finish()
    whole = list(events_of(client, job_id))
    assert [event.type for event in whole] == ["queued", "started", "completed"]
    for index, event in enumerate(whole[:-1]):
        assert list(events_of(client, job_id, after=event.id)) == whole[index + 1 :]
    assert list(events_of(client, job_id, after=whole[-1].id)) == []


def test_a_last_event_id_of_nobody_is_invalid(client: httpx.Client, job_id: str) -> None:
    answer = client.get(f"/v1/insertions/{job_id}/events", headers={"Last-Event-ID": "x"})
    assert answer.json()["code"] == "invalid_request"


def test_a_quiet_stream_is_kept_awake(
    client: httpx.Client, job_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("job_store.event_reader.HEARTBEAT_SECONDS", 0.1)
    with client.stream("GET", f"/v1/insertions/{job_id}/events") as answer:
        lines = answer.iter_lines()
        assert any(line.startswith("event: queued") for line in lines)
        assert any(line == ": heartbeat" for line in lines)


def test_streams_are_bounded_per_tenant(
    client: httpx.Client, job_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "STREAMS_PER_TENANT", 1)
    first = events_of(client, job_id)
    next(first)
    path = f"/v1/insertions/{job_id}/events"
    refused = client.get(path)
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    first.close()  # type: ignore[attr-defined]
    until(lambda: client.stream("GET", path).__enter__().status_code == 200)


@pytest.mark.fault(56)
def test_streams_and_polls_end_when_the_gateway_stops(
    valkey: EmbeddedValkey, redis: Redis, tmp_path: Path
) -> None:
    headers = {"Authorization": f"Bearer {ApiKeys(redis).create('acme', 'test')}"}
    with httpx.Client(headers=headers, timeout=60) as client, ThreadPoolExecutor() as pool:
        with serving(make_settings(valkey, tmp_path)) as url:
            client.base_url = httpx.URL(url)
            job_id = client.post("/v1/insertions", json=BODY).json()["id"]
            stream = events_of(client, job_id)
            next(stream)
            rest = pool.submit(list, stream)
            poll = pool.submit(client.get, f"/v1/insertions/{job_id}", params={"wait": 60})
            began = time.monotonic()
        assert time.monotonic() - began < 5
        assert rest.result(5) == []
        assert poll.result(5).json()["status"] == "queued"


def test_a_preview_comes_with_a_link(
    client: httpx.Client, job_id: str, store: JobStore, artifacts: ArtifactStore
) -> None:
    claim = store.claim(CARD.name, "one", 30_000)
    assert claim
    key = attempt_key("acme", job_id, claim.token, "preview-0-0.png")
    artifacts.put(key, encoded(gradient()))
    store.show(job_id, claim.token, Preview(number=0, index=0, seed=1, step=3, url=key))
    stream = events_of(client, job_id)
    shown = next(event for event in stream if event.type == "preview")
    assert (shown.data["seed"], shown.data["step"]) == (1, 3)
    assert httpx.get(shown.data["url"]).content == encoded(gradient())
