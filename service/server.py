"""Uvicorn with what it lacks: a deadline for a request's head, and a word to the app before it stops."""

from __future__ import annotations

import asyncio
import socket

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from runtime.settings import Settings
from service.app import create_app

HEAD_SECONDS = 15.0
GRACE_SECONDS = 20
"""For requests under way when the process is told to stop."""
MAX_CONNECTIONS = 2000


class HeadDeadline(HttpToolsProtocol):
    """Closes a connection whose request head is late; uvicorn's own timer ends with the first byte."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._arm()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._arm()

    def on_headers_complete(self) -> None:
        self._disarm()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        super().connection_lost(exc)

    def _arm(self) -> None:
        self._disarm()
        self._deadline = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _disarm(self) -> None:
        if self._deadline:
            self._deadline.cancel()


class Server(uvicorn.Server):
    """Tells the app that it stops before it waits for the app's requests."""

    def __init__(self, config: uvicorn.Config, stopping: asyncio.Event) -> None:
        super().__init__(config)
        self._stopping = stopping

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._stopping.set()
        await super().shutdown(sockets)


def build_server(settings: Settings) -> Server:
    """A server for the app of these settings, not yet started."""
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http=HeadDeadline,
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        limit_concurrency=MAX_CONNECTIONS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    return Server(config, app.state.gateway.stopping)
