"""The span of a request, and how routes ask for the trace that their job shall belong to."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Annotated

from fastapi import Depends, Header
from opentelemetry.trace import INVALID_SPAN, Span, SpanKind
from starlette.datastructures import Headers
from starlette.types import Scope

from runtime import telemetry

UNTRACED = frozenset({"/livez", "/readyz", "/metrics"})
"""Machines ask for them all day."""


def request_span(scope: Scope, request_id: str) -> AbstractContextManager[Span]:
    """Current while the request is answered, below what its `traceparent` names. Two headers are none."""
    if scope["path"] in UNTRACED:
        return nullcontext(INVALID_SPAN)
    given = Headers(scope=scope).getlist("traceparent")
    attributes = {"http.request.method": scope["method"], "request_id": request_id}
    parent = given[0] if len(given) == 1 else None
    return telemetry.span(scope["method"], parent, attributes, SpanKind.SERVER)


def name_span(span: Span, scope: Scope, route: str, status: int, job_id: str | None) -> None:
    """Say what became of a request. By the route's template: paths carry ids, queries carry signatures."""
    span.update_name(f"{scope['method']} {route}")
    tenant = scope["state"].get("tenant")
    outcome = {"http.route": route, "http.response.status_code": status, "tenant": tenant, "job_id": job_id}
    telemetry.note(span, outcome)
    if status >= 500:
        telemetry.fail(span, str(status))


async def _traceparent(
    traceparent: Annotated[
        str | None, Header(description="W3C trace context; an invalid one is ignored.")
    ] = None,
) -> str | None:
    """The request's own span, whose parent the header named; without traces what the header says."""
    return telemetry.traceparent()


Traceparent = Annotated[str | None, Depends(_traceparent)]
