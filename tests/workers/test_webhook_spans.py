"""Each try of a webhook is a span of its job's trace, and the receiver is told that it stands below it."""

from __future__ import annotations

from collections.abc import Callable

from opentelemetry.trace import SpanKind, StatusCode

from tests.runtime.recording import named_by, parent_of, recording
from tests.workers.receiver import receiver
from tests.workers.test_webhook_sending import TRACE, Sending, sending, sending_with

__all__ = ["sending", "sending_with"]


def test_the_receiver_gets_the_span_of_its_try(sending: Sending) -> None:
    with recording() as spans, receiver(500, 204) as got:
        sending.add(got.url + "?token=hidden")
        message = sending.cancel_a_job()
        sending.send()
        sending.until_next_try()
        sending.send()
    tries = spans.named("webhook")
    assert [parent_of(span) for span in tries] == [TRACE, TRACE]
    assert [headers["traceparent"] for _, headers, _ in got.requests] == [named_by(span) for span in tries]
    told = [dict(span.attributes or {}) for span in tries]
    assert [one["http.response.status_code"] for one in told] == [500, 204]
    assert [one["addit.tries"] for one in told] == [1, 2]
    assert {one["addit.message_id"] for one in told} == {message}
    assert [span.status.status_code for span in tries] == [StatusCode.ERROR, StatusCode.UNSET]
    assert {span.kind for span in tries} == {SpanKind.CLIENT}
    assert "hidden" not in "".join(span.to_json() for span in tries)


def test_an_event_of_no_job_begins_a_trace(sending_with: Callable[..., Sending]) -> None:
    sending = sending_with()
    with recording() as spans, receiver(204) as got:
        sending.log.test(sending.add(got.url))
        sending.send()
    (one,) = spans.named("webhook")
    assert one.parent is None
    assert got.requests[0][1]["traceparent"] == named_by(one)
