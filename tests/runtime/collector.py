"""A collector that takes traces over OTLP/HTTP on a real socket."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from bench.http_server import Handler, serving


@dataclass(frozen=True)
class Told:
    """A span as the collector got it; ids in hex, `parent` empty for a root."""

    service: str
    name: str
    trace: str
    id: str
    parent: str
    attributes: dict[str, object]
    events: list[str]
    began_ns: int
    ended_ns: int
    failed: bool


@dataclass
class Collector:
    """`raw`: the bodies as they came."""

    url: str
    spans: list[Told] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)

    def take(self, path: str, body: bytes) -> None:
        assert path == "/v1/traces"
        self.raw.append(body)
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            service = {one.key: one.value.string_value for one in resource.resource.attributes}
            for scope in resource.scope_spans:
                self.spans += [_told(service["service.name"], span) for span in scope.spans]

    def of(self, trace: str) -> list[Told]:
        """Those of one trace, as they began."""
        return sorted((span for span in self.spans if span.trace == trace), key=lambda span: span.began_ns)


def _told(service: str, span: Span) -> Told:
    values = {one.key: getattr(one.value, str(one.value.WhichOneof("value"))) for one in span.attributes}
    return Told(
        service=service,
        name=span.name,
        trace=span.trace_id.hex(),
        id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        attributes=values,
        events=[event.name for event in span.events],
        began_ns=span.start_time_unix_nano,
        ended_ns=span.end_time_unix_nano,
        failed=span.status.code == span.status.STATUS_CODE_ERROR,
    )


@contextmanager
def collector() -> Iterator[Collector]:
    """One on a free port of this machine."""
    taking = Collector("")

    class Taker(Handler):
        def do_POST(self) -> None:
            taking.take(self.path, self.body())
            self.answer(200)

    with serving(Taker) as address:
        taking.url = address
        yield taking
