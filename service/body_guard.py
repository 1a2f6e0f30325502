"""No body is larger than allowed or drips: both are judged while it streams, whatever Content-Length says."""

from __future__ import annotations

import asyncio
import time

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.errors import Refusal
from service.problems import answer

PATIENCE_SECONDS = 15.0
"""Between two pieces of a body, and before its pace counts."""
MIN_BYTES_PER_SECOND = 1024
CLOSE = {"Connection": "close"}


class BodyGuard:
    """ASGI middleware; the rest of a refused body is not read."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self.app, self.max_bytes = app, max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        length = Headers(scope=scope).get("content-length", "0")
        if length.isdecimal() and int(length) > self.max_bytes:
            await answer(self._too_large(), scope)(scope, receive, send)
            return
        await self.app(scope, self._guarded(receive), send)

    def _guarded(self, receive: Receive) -> Receive:
        received, complete, began = 0, False, time.monotonic()

        async def guarded() -> Message:
            nonlocal received, complete
            if complete:  # what follows a body is only the client's leaving
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), PATIENCE_SECONDS)
            except TimeoutError:
                raise _too_slow() from None
            received += len(message.get("body", b""))
            complete = not message.get("more_body", False)
            if received > self.max_bytes:
                raise self._too_large()
            elapsed = time.monotonic() - began
            if not complete and elapsed > PATIENCE_SECONDS and received < elapsed * MIN_BYTES_PER_SECOND:
                raise _too_slow()
            return message

        return guarded

    def _too_large(self) -> Refusal:
        return Refusal("body_too_large", f"A request has at most {self.max_bytes} bytes.", headers=CLOSE)


def _too_slow() -> Refusal:
    return Refusal("malformed_request", "The body arrives too slowly.", headers=CLOSE)
