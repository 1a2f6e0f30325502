"""What every request passes through first: its id, log line and count, the net under unforeseen errors."""

from __future__ import annotations

import re
import time

import structlog
from opentelemetry.trace import Span
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api_schemas.base import new_id
from service.metrics import Metrics
from service.problems import answer, to_refusal
from service.tracing import name_span, request_span

GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
CLIENT_GONE = 499
"""For the log and the counts alone: nobody is left to read it (nginx's number)."""
log = structlog.get_logger("service")


class RequestHop:
    """ASGI middleware. A client's own X-Request-Id is kept if it is tame."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app, self.metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if GIVEN_ID.fullmatch(given) else new_id("req")
        scope.setdefault("state", {})["request_id"] = request_id
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            with request_span(scope, request_id) as span:
                await self._pass_on(scope, receive, send, span)

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send, span: Span) -> None:
        request_id = scope["state"]["request_id"]
        status, began = 0, time.perf_counter()

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        except ClientDisconnect:
            status = CLIENT_GONE
        except Exception as error:
            log.exception("request failed")
            if not status:
                await answer(to_refusal(error), scope)(scope, receive, send_with_id)
        self._record(scope, status, time.perf_counter() - began, span)

    def _record(self, scope: Scope, status: int, seconds: float, span: Span) -> None:
        """By the route's template: paths carry ids, queries carry signatures."""
        route = getattr(scope.get("route"), "path", "unmatched")
        job_id = scope.get("path_params", {}).get("job_id") or scope["state"].get("job_id")
        self.metrics.observe(scope["method"], route, status, seconds)
        name_span(span, scope, route, status, job_id)
        log.info(
            "request",
            method=scope["method"],
            route=route,
            status=status,
            ms=round(seconds * 1000, 1),
            tenant=scope["state"].get("tenant"),
            job_id=job_id,
        )
