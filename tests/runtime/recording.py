"""Spans of this process, kept instead of sent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanContext

from runtime import telemetry
from tests.workers.fleet import until


class Recording:
    """What ended so far."""

    def __init__(self, exporter: InMemorySpanExporter) -> None:
        self._exporter = exporter

    def named(self, name: str) -> list[ReadableSpan]:
        """The spans of this name, once there is one: a request's ends a moment after its answer has gone."""
        return until(lambda: [span for span in self._exporter.get_finished_spans() if span.name == name])

    def all(self) -> list[ReadableSpan]:
        """Every span."""
        return [*self._exporter.get_finished_spans()]

    def first(self, count: int) -> list[ReadableSpan]:
        """Every span, once there are so many."""
        return until(lambda: spans if len(spans := self.all()) >= count else [])


@contextmanager
def recording() -> Iterator[Recording]:
    """Traces are on within."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    before = telemetry.use(provider)
    try:
        yield Recording(exporter)
    finally:
        telemetry.use(before)
        provider.shutdown()


def named_by(span: ReadableSpan) -> str:
    """The traceparent that names a span."""
    context = span.get_span_context()
    assert context is not None
    return _header(context)


def parent_of(span: ReadableSpan) -> str | None:
    """The traceparent that names its parent."""
    return _header(span.parent) if span.parent else None


def _header(context: SpanContext) -> str:
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
