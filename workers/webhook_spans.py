"""The span of one try of a webhook. No address stands in it: that is the tenant's, and may hold a secret."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager

from opentelemetry.trace import Span, SpanKind

from job_store.outbox import Delivery
from runtime import telemetry


def try_span(delivery: Delivery, traceparent: str | None) -> AbstractContextManager[Span]:
    """Current during a try. `traceparent`: of the job that it tells of, None for any other event."""
    attributes = {
        "job_id": delivery.job_id,
        "tenant": delivery.tenant,
        "message_id": delivery.id,
        "event": delivery.event,
        "tries": delivery.tries,
    }
    return telemetry.span("webhook", traceparent, attributes, SpanKind.CLIENT)


def traced(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers of a try with the current span's in place of the job's, where there is a trace."""
    found = telemetry.traceparent()
    return {**headers, "traceparent": found} if found else dict(headers)


def tell_answer(span: Span, status: int | None, delivered: bool) -> None:
    """What the receiver said, None for nothing."""
    telemetry.note(span, {"http.response.status_code": status})
    if not delivered:
        telemetry.fail(span, str(status or "no answer"))
