"""Uvicorn with what it lacks: deadlines for heads and for readers, several ports, a word to the app before it
stops."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Sequence

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api_schemas.base import new_id
from runtime.settings import Settings
from service.app import create_app, create_operators_app
from service.cells.cell import build_cells
from service.cells.operators_door import OperatorsDoor
from service.cells.tenants_door import TenantsDoor
from service.doors import Doors
from service.errors import Refusal
from service.gateway import Gateway
from service.problems import answer

HEAD_SECONDS = 10.0
READER_SECONDS = 10.0
"""In which a client has to take what is ready for it, some 48 KiB."""
GRACE_SECONDS = 20
"""For requests under way when the process is told to stop."""


class HttpProtocol(HttpToolsProtocol):
    """Closes a connection whose request head is late (uvicorn's own timer ends with the first byte), and one
    whose client does not read: closing it in order would wait for that client."""

    _deadline: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._arm()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._arm()

    def on_headers_complete(self) -> None:
        self._disarm()
        super().on_headers_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stalled = self.loop.call_later(READER_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        self._flowing()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        self._flowing()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """What is not HTTP never becomes a request, so no handler can answer it."""
        request_id = new_id("req")
        headers = {"Connection": "close", "X-Request-Id": request_id}
        response = answer(
            Refusal("malformed_request", msg, headers=headers), {"state": {"request_id": request_id}}
        )
        lines = [b"HTTP/1.1 400 Bad Request", *(b"%s: %s" % header for header in response.raw_headers)]
        self.transport.write(b"\r\n".join([*lines, b"", bytes(response.body)]))
        self.transport.close()

    def _arm(self) -> None:
        self._disarm()
        self._deadline = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _flowing(self) -> None:
        if self._stalled:
            self._stalled.cancel()

    def _disarm(self) -> None:
        if self._deadline:
            self._deadline.cancel()


class Server(uvicorn.Server):
    """Listens at some addresses, and tells the app that it stops before it waits for the app's requests."""

    def __init__(
        self, config: uvicorn.Config, stopping: asyncio.Event, addresses: Sequence[tuple[str, int]]
    ) -> None:
        super().__init__(config)
        self._stopping, self.addresses = stopping, addresses

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Exits with a message where an address is taken."""
        await super().startup([*(sockets or []), *map(bound, self.addresses)])

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._stopping.set()
        await super().shutdown(sockets)


def bound(address: tuple[str, int]) -> socket.socket:
    """A socket at (host, port). Exits with a message where that cannot be had."""
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    try:
        return socket.create_server(address, family=family)
    except OSError as error:
        sys.exit(f"cannot listen on {address[0]}:{address[1]}: {error}")


def addresses_of(settings: Settings) -> list[tuple[str, int]]:
    """(host, port) of each door: the tenants', and the operators' where there is one."""
    operators = [(settings.admin_host, settings.admin_port)] if settings.serves_operators else []
    return [(settings.host, settings.port), *operators]


def build_server(settings: Settings, sockets: Sequence[socket.socket] = ()) -> Server:
    """A server for the apps of these settings, not yet started.

    sockets: those that it will be run with, for all its addresses; without any it listens at them itself
    """
    tenants, operators, stopping = apps_of(settings)
    addresses = addresses_of(settings)
    config = uvicorn.Config(
        Doors(tenants, operators, settings.admin_port) if len(addresses) > 1 else tenants,
        loop="uvloop",
        http=HttpProtocol,
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    return Server(config, stopping, [] if sockets else addresses)


def apps_of(settings: Settings) -> tuple[ASGIApp, ASGIApp, asyncio.Event]:
    """Tenants' and operators' app, and what is set when they shall stop."""
    if settings.cells:
        cells = build_cells(settings)
        return TenantsDoor(cells), OperatorsDoor(cells), cells.stopping
    app = create_app(settings)
    gateway: Gateway = app.state.gateway
    return app, create_operators_app(gateway), gateway.stopping
