"""One cell's app is asked by a door, in this process, as a client would ask it: without a body."""

from __future__ import annotations

from dataclasses import dataclass, field

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Scope


@dataclass
class Answer:
    """What it said, whole."""

    status: int = 0
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""

    def again(self) -> Response:
        """The same, to be sent to the client."""
        kept = {name: value for name, value in self.headers.items() if name != "content-length"}
        return Response(self.body, self.status, kept)


async def ask(app: ASGIApp, scope: Scope, path: str | None = None) -> Answer:
    """Its answer to a request; path: another than the request's."""
    asked = False
    answer = Answer()

    async def receive() -> Message:
        nonlocal asked
        if asked:
            return {"type": "http.disconnect"}
        asked = True
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status, answer.headers = message["status"], Headers(raw=message["headers"])
        else:
            answer.body += message.get("body", b"")

    told = {**scope, "state": {}}
    await app(told if path is None else told | {"path": path, "raw_path": path.encode()}, receive, send)
    return answer
