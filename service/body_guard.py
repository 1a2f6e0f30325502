"""No body is larger than allowed or drips: both are judged while it streams, whatever Content-Length says."""

from __future__ import annotations

import asyncio
import time

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.errors import Refusal
from service.problems import answer

PATIENCE_SECONDS = 10.0
"""In which the next `FAIR_BYTES` of a body, or its end, have to come."""
FAIR_BYTES = 10 * 1024
LINGER_SECONDS = 1.0
CLOSE = {"Connection": "close"}


class BodyGuard:
    """ASGI middleware. A refused body is not read on, and its connection is closed."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self.app, self.max_bytes = app, max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        body = _Body(receive, send, self.max_bytes)
        length = Headers(scope=scope).get("content-length", "0")
        if length.isdecimal() and int(length) > self.max_bytes:
            await answer(body.too_large(), scope)(scope, body.receive, body.send)
        else:
            await self.app(scope, body.receive, body.send)


class _Body:
    """One request's body on its way in, and the answer on its way out."""

    def __init__(self, receive: Receive, send: Send, max_bytes: int) -> None:
        self._receive, self._send, self._max_bytes = receive, send, max_bytes
        self._received, self._fresh = 0, 0
        self._waited = 0.0  # for `_fresh`; what the app takes for itself is not the client's
        self._complete = self._refused = False

    async def receive(self) -> Message:
        """The next piece. Raises `Refusal`: body_too_large, malformed_request for one that drips."""
        if self._complete:  # what follows a body is only the client's leaving
            return await self._receive()
        asked_at = time.monotonic()
        try:
            message = await asyncio.wait_for(self._receive(), PATIENCE_SECONDS - self._waited)
        except TimeoutError:
            raise self._too_slow() from None
        self._count(len(message.get("body", b"")), time.monotonic() - asked_at)
        self._complete = not message.get("more_body", False)
        if self._received > self._max_bytes:
            raise self.too_large()
        return message

    def _count(self, received: int, waited: float) -> None:
        """So many bytes after so many seconds."""
        self._received += received
        self._fresh += received
        self._waited += waited
        if self._fresh >= FAIR_BYTES:
            self._fresh, self._waited = 0, 0.0

    async def send(self, message: Message) -> None:
        """Pass on. A close with unread bytes resets the connection and loses the refusal: linger first."""
        last = message["type"] == "http.response.body" and not message.get("more_body", False)
        if not (last and self._refused):
            await self._send(message)
            return
        await self._send({**message, "more_body": True})
        await self._drain()
        await self._send({"type": "http.response.body", "body": b""})

    async def _drain(self) -> None:
        end = time.monotonic() + LINGER_SECONDS
        while not self._complete and (left := end - time.monotonic()) > 0:
            try:
                message = await asyncio.wait_for(self._receive(), left)
            except TimeoutError:
                return
            self._complete = not message.get("more_body", False)

    def too_large(self) -> Refusal:
        """Refuse the body for its size."""
        self._refused = True
        return Refusal("body_too_large", f"A request has at most {self._max_bytes} bytes.", headers=CLOSE)

    def _too_slow(self) -> Refusal:
        self._refused = True
        return Refusal("malformed_request", "The body arrives too slowly.", headers=CLOSE)
