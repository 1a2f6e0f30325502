"""One trace from a caller's request over its job's attempt and every stage to its webhook."""

from __future__ import annotations

import json

import pytest

from tests.observability.conftest import CALLER, Watched
from tests.runtime.collector import Told

STAGES = ["encode", "source", "denoise", "localize", "decode", "upload", "commit"]


@pytest.fixture
def spans(watched: Watched) -> list[Told]:
    """Those of the caller's trace."""
    return watched.traces.of(CALLER[3:35])


def only(spans: list[Told], name: str) -> Told:
    (found,) = (span for span in spans if span.name == name)
    return found


def test_every_part_of_a_jobs_way_is_a_span_below_the_right_one(watched: Watched, spans: list[Told]) -> None:
    request, attempt = only(spans, "POST /v1/insertions"), only(spans, "attempt")
    parents = {span.name: span.parent for span in spans}
    assert parents == {
        "POST /v1/insertions": CALLER[36:52],
        "queue": request.id,
        "attempt": request.id,
        **dict.fromkeys(STAGES, attempt.id),
        "webhook": request.id,
    }
    services = {span.name: span.service for span in spans}
    assert services == {
        "POST /v1/insertions": "addit-gateway",
        **dict.fromkeys(["queue", "attempt", *STAGES], "addit-worker"),
        "webhook": "addit-background",
    }
    assert {span.attributes.get("addit.job_id", watched.job["id"]) for span in spans} == {watched.job["id"]}


def test_every_step_is_an_event_of_its_stage(spans: list[Told]) -> None:
    assert only(spans, "denoise").events == ["denoise step"] * 2


def test_the_webhook_names_its_own_span(watched: Watched, spans: list[Told]) -> None:
    _, trace, span, _ = watched.received["traceparent"].split("-")
    assert (trace, span) == (CALLER[3:35], only(spans, "webhook").id)


def test_spans_lie_in_time_as_they_lie_in_each_other(spans: list[Told]) -> None:
    attempt, denoise, localize = (only(spans, name) for name in ("attempt", "denoise", "localize"))
    queue, commit = only(spans, "queue"), only(spans, "commit")
    assert all(span.began_ns <= span.ended_ns for span in spans)
    assert queue.ended_ns - 1_000_000 <= attempt.began_ns <= denoise.began_ns <= localize.began_ns
    assert localize.ended_ns <= denoise.ended_ns <= commit.ended_ns <= attempt.ended_ns


def test_an_attempt_that_failed_says_so_and_how_far_it_came(watched: Watched) -> None:
    failed = [span for span in watched.traces.spans if span.failed]
    (attempt,) = (span for span in failed if span.name == "attempt")
    assert attempt.attributes["addit.ending"] == "failed"
    below = [span.name for span in watched.traces.of(attempt.trace) if span.parent == attempt.id]
    assert below == ["encode", "source", "denoise", "commit"]


def test_every_process_logs_the_trace_with_the_job(watched: Watched) -> None:
    said = [
        json.loads(line)
        for log in (watched.folder / "logs").glob("*.log")
        for line in log.read_text().splitlines()
        if watched.job["id"] in line
    ]
    told = {line["service"] for line in said if line.get("trace_id") == CALLER[3:35]}
    assert told == {"gateway", "worker", "engine", "background"}
    (made,) = (line for line in said if line["event"] == "request" and line["method"] == "POST")
    assert made["request_id"].startswith("req_")
