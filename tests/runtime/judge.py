"""A moderator for tests: a real server that answers as it is told and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


def allow(asked: dict[str, Any]) -> Any:
    """Lets everything pass."""
    return {"allowed": True}


@dataclass
class Judge:
    """sees: makes the answer to what it is asked, JSON or the raw body; status: of its answers."""

    url: str
    sees: Callable[[dict[str, Any]], Any] = allow
    status: int = 200
    asked: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    @property
    def settings(self) -> dict[str, Any]:
        """That lead to it: it is of this machine."""
        return {"moderation_url": self.url, "moderation_internal": True, "moderation_seconds": 10.0}


@contextmanager
def judging() -> Iterator[Judge]:
    """It, for as long as the context lasts."""
    judge = Judge("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            judge.asked.append(json.loads(body))
            judge.headers.append(dict(self.headers))
            answer = judge.sees(judge.asked[-1])
            told = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(judge.status)
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    judge.url = f"http://127.0.0.1:{server.server_address[1]}/judge"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield judge
    finally:
        server.shutdown()
        server.server_close()
