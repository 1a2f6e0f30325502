"""A tenant's server for webhooks that is not always well."""

from __future__ import annotations

import json
import random
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

FAILING = 0.2
"""Share of the requests that it answers with 500, or not at all."""


@dataclass
class Receiver:
    """What came, and when (Unix seconds). taken: the ids of the messages of each job that it confirmed."""

    dice: random.Random
    url: str = ""
    taken: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    came_at: list[float] = field(default_factory=list)
    failed: int = 0

    def take(self, handler: BaseHTTPRequestHandler) -> None:
        """One request: confirmed, refused, or hung up on."""
        body = handler.rfile.read(int(handler.headers.get("content-length", 0)))
        if self.dice.random() < FAILING:
            self.failed += 1
            if self.dice.random() < 0.5:
                answer(handler, 500)
            return
        self.taken[json.loads(body)["data"]["id"]].add(handler.headers["webhook-id"])
        self.came_at.append(time.time())
        answer(handler, 204)


def answer(handler: BaseHTTPRequestHandler, status: int) -> None:
    """A status and nothing else."""
    handler.send_response(status)
    handler.send_header("content-length", "0")
    handler.end_headers()


@contextmanager
def receiving(dice: random.Random) -> Iterator[Receiver]:
    """One on a free port of this machine."""
    receiver = Receiver(dice)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            receiver.take(self)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
