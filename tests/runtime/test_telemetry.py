"""Traces cost nothing while nobody takes them, and tell of nothing but ids and numbers when somebody does."""

from __future__ import annotations

import subprocess
import sys

import pytest
from opentelemetry.trace import SpanKind

from runtime import telemetry
from runtime.settings import Settings
from runtime.valkey import free_port
from tests.runtime.collector import collector
from tests.runtime.recording import named_by, parent_of, recording

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
UNSAMPLED = TRACE[:-1] + "0"
MALFORMED = [
    "",
    "a trace",
    TRACE[:-1],
    TRACE.upper(),
    TRACE.replace("00-", "ff-", 1),
    f"00-{'0' * 32}-b7ad6b7169203331-01",
    f"00-0af7651916cd43dd8448eb211c80319c-{'0' * 16}-01",
    TRACE + "-more",
]


def test_without_an_address_no_span_is_made_and_the_callers_trace_is_passed_on() -> None:
    telemetry.configure(Settings(_env_file=None), "gateway")
    with telemetry.span("outer", TRACE, {}) as span:
        assert not span.is_recording()
        assert telemetry.traceparent() == TRACE
        assert telemetry.trace_id() == TRACE[3:35]
    with telemetry.span("alone", None, {}):
        assert telemetry.traceparent() is None
        assert telemetry.trace_id() is None
    telemetry.flush()


def test_without_an_address_nothing_of_the_sdk_is_loaded() -> None:
    program = (
        "import sys; from runtime import telemetry; from runtime.settings import Settings\n"
        "telemetry.configure(Settings(_env_file=None), 'worker')\n"
        "sys.exit('opentelemetry.sdk' in sys.modules or 'opentelemetry.exporter' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize("header", MALFORMED)
def test_a_malformed_header_counts_as_none(header: str) -> None:
    with telemetry.following(header):
        assert telemetry.traceparent() is None
    with recording() as spans, telemetry.span("root", header, {}):
        pass
    (root,) = spans.all()
    assert root.parent is None


def test_a_span_stands_below_what_its_header_names_and_names_itself() -> None:
    with recording() as spans:
        with telemetry.span("outer", TRACE, {"job_id": "ins_1", "left": None}, SpanKind.SERVER) as outer:
            inner = telemetry.start("inner", telemetry.traceparent(), {"http.route": "/x"}, started_ns=5)
            inner.end(7)
            assert telemetry.traceparent(outer) == telemetry.traceparent()
        assert telemetry.traceparent() is None
    (top,), (below,) = spans.named("outer"), spans.named("inner")
    assert (parent_of(top), parent_of(below)) == (TRACE, named_by(top))
    assert (top.kind, dict(top.attributes or {})) == (SpanKind.SERVER, {"addit.job_id": "ins_1"})
    assert (below.start_time, below.end_time, dict(below.attributes or {})) == (5, 7, {"http.route": "/x"})


def test_who_does_not_want_to_be_traced_is_not() -> None:
    with recording() as spans, telemetry.span("unwanted", UNSAMPLED, {}):
        assert (telemetry.traceparent() or "").startswith(UNSAMPLED[:36])
    assert spans.all() == []


def test_of_an_exception_only_the_class_is_told() -> None:
    with recording() as spans, pytest.raises(ValueError, match="xylophone"):
        with telemetry.span("broken", None, {}):
            raise ValueError("a prompt with a xylophone")
    (broken,) = spans.all()
    assert (broken.status.description, broken.events) == ("ValueError", ())


def configured(url: str) -> None:
    telemetry.configure(Settings(_env_file=None, otlp_endpoint=url), "test")


def test_spans_reach_a_collector_and_a_dead_one_is_no_ones_trouble() -> None:
    before = telemetry.use(telemetry._provider)
    try:
        with collector() as taking:
            configured(taking.url + "/")
            with telemetry.span("sent", TRACE, {"tries": 2}):
                pass
            telemetry.flush()
            shut_down()
        (sent,) = taking.spans
        assert (sent.service, sent.name, sent.parent) == ("addit-test", "sent", TRACE[36:52])
        assert sent.attributes == {"addit.tries": 2}
        configured(f"http://127.0.0.1:{free_port()}")
        with telemetry.span("lost", None, {}):
            pass
        shut_down()
    finally:
        telemetry.use(before)


def shut_down() -> None:
    """End the provider's thread, as a process' end does."""
    telemetry._provider.shutdown()  # type: ignore[attr-defined]
