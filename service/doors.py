"""Two doors to one process: tenants' port and operators'. By which one a request came, its socket tells."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send


class Doors:
    """An ASGI app: the operators' for what came to their port, the tenants' for all else. No header moves a
    request from one to the other."""

    def __init__(self, tenants: ASGIApp, operators: ASGIApp, operators_port: int) -> None:
        self._tenants, self._operators, self._port = tenants, operators, operators_port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        address = scope.get("server")  # of the connection's own end, as the kernel tells it
        app = self._operators if address and address[1] == self._port else self._tenants
        await app(scope, receive, send)
