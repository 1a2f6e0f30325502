"""A tenant's server that takes webhooks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread


@dataclass
class Receiver:
    """`answers`: the statuses it gives, the last one for ever; `may_answer`: what its answers wait for.

    says: the body of each
    """

    answers: list[tuple[int, dict[str, str]]]
    url: str = ""
    says: bytes = b""
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    may_answer: Event = field(default_factory=Event)

    @property
    def ids(self) -> list[str]:
        """The webhook ids it got, in order."""
        return [headers["webhook-id"] for _, headers, _ in self.requests]

    def take(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in handler.headers.items()}
        self.requests.append((handler.path, headers, body))
        status, answered = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        self.may_answer.wait(10)
        handler.send_response(status)
        for name, value in (answered | {"content-length": str(len(self.says))}).items():
            handler.send_header(name, value)
        handler.end_headers()
        if status != 204:
            handler.wfile.write(self.says)


@contextmanager
def receiver(*statuses: int, **headers: str) -> Iterator[Receiver]:
    """A receiver on this machine that gives these statuses one after the other, all with these headers."""
    answers = {name.replace("_", "-"): value for name, value in headers.items()}
    taking = Receiver([(status, answers) for status in statuses])
    taking.may_answer.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taking.take(self)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    taking.url = f"http://127.0.0.1:{server.server_port}/hook"
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield taking
    finally:
        taking.may_answer.set()
        server.shutdown()
        server.server_close()
        thread.join()
