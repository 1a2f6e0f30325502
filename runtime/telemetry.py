"""Traces: one from a request over its attempts to its webhook, sent over OTLP/HTTP where an address is set.

Nobody waits for a collector: a thread sends spans, and drops them while nobody takes them. Without an address
the SDK is never imported, no span is made, and a caller's own trace context is still passed on (W3C Trace
Context, https://www.w3.org/TR/trace-context/). Attributes are ids, names and numbers: no prompt, no URL, no
text of an exception.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Thread

from opentelemetry.context import Context, attach, detach
from opentelemetry.trace import (
    NoOpTracerProvider,
    Span,
    SpanKind,
    Status,
    StatusCode,
    Tracer,
    TracerProvider,
    format_trace_id,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from runtime.settings import Settings

EXPORT_SECONDS = 5.0  # for one batch of spans
FLUSH_SECONDS = 3.0  # at the end of a process

Attributes = Mapping[str, str | int | float | None]

_propagator = TraceContextTextMapPropagator()
_provider: TracerProvider = NoOpTracerProvider()
_tracer: Tracer = _provider.get_tracer("addit")


def configure(settings: Settings, service: str) -> None:
    """Send this process' spans to `settings.otlp_endpoint`, if there is one. `service` names it in them."""
    if settings.otlp_endpoint:
        use(_exporting(settings.otlp_endpoint, f"addit-{service}"))


def use(provider: TracerProvider) -> TracerProvider:
    """Make spans by this provider from now on; the one until now."""
    global _provider, _tracer
    before, _provider, _tracer = _provider, provider, provider.get_tracer("addit")
    return before


def flush() -> None:
    """Wait, at most `FLUSH_SECONDS`, until what ended is sent. For the end of a process.

    The SDK's own timeouts are not kept: a dead collector would hold up the process for every batch.
    """
    force_flush = getattr(_provider, "force_flush", None)
    if force_flush is not None:
        sending = Thread(target=force_flush, name="flush", daemon=True)
        sending.start()
        sending.join(FLUSH_SECONDS)


def start(
    name: str,
    traceparent: str | None,
    attributes: Attributes,
    kind: SpanKind = SpanKind.INTERNAL,
    started_ns: int | None = None,
) -> Span:
    """A span below the one that `traceparent` names, or of a trace of its own; the caller ends it.

    started_ns: Unix time; None: now
    """
    return _tracer.start_span(name, _context(traceparent), kind, _told(attributes), start_time=started_ns)


@contextmanager
def span(
    name: str, traceparent: str | None, attributes: Attributes, kind: SpanKind = SpanKind.INTERNAL
) -> Iterator[Span]:
    """As `start`, and current while the context lasts. An exception is told of by its class alone."""
    made = start(name, traceparent, attributes, kind)
    with _current(set_span_in_context(made)):
        try:
            yield made
        except Exception as error:
            fail(made, type(error).__name__)
            raise
        finally:
            made.end()


@contextmanager
def following(traceparent: str | None) -> Iterator[None]:
    """What is said and sent within belongs to that trace, without a span of its own."""
    with _current(_context(traceparent)):
        yield


def note(span: Span, attributes: Attributes) -> None:
    """Say more of a span."""
    span.set_attributes(_told(attributes))


def fail(span: Span, why: str) -> None:
    """Mark a span as failed. `why`: a code or a class."""
    span.set_status(Status(StatusCode.ERROR, why))


def traceparent(span: Span | None = None) -> str | None:
    """The header that names a span (the current one), None where there is no trace."""
    carrier: dict[str, str] = {}
    _propagator.inject(carrier, set_span_in_context(span or get_current_span()))
    return carrier.get("traceparent")


def trace_id() -> str | None:
    """Of the current trace, 32 hex digits, None where there is none."""
    context = get_current_span().get_span_context()
    return format_trace_id(context.trace_id) if context.is_valid else None


def _context(traceparent: str | None) -> Context:
    """Of a header; what is malformed counts as none, as the W3C's specification says."""
    return _propagator.extract({"traceparent": traceparent}, Context()) if traceparent else Context()


def _told(attributes: Attributes) -> dict[str, str | int | float]:
    """Names without a dot are ours, others are OpenTelemetry's conventions; None says nothing."""
    named = {key if "." in key else f"addit.{key}": value for key, value in attributes.items()}
    return {key: value for key, value in named.items() if value is not None}


@contextmanager
def _current(context: Context) -> Iterator[None]:
    token = attach(context)
    try:
        yield
    finally:
        detach(token)


def _exporting(endpoint: str, name: str) -> TracerProvider:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider as Provider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = Provider(shutdown_on_exit=False, resource=Resource.create({"service.name": name}))
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=EXPORT_SECONDS)
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=1000))
    return provider
