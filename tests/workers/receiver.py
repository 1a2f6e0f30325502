"""A tenant's server that takes webhooks."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event, Thread

from bench.http_server import Handler, serving


@dataclass
class Receiver:
    """`answers`: the statuses it gives, the last one for ever; `may_answer`: what its answers wait for.

    says: the body of each; answered: how many it gave
    """

    answers: list[tuple[int, dict[str, str]]]
    url: str = ""
    says: bytes = b""
    answered: int = 0
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    may_answer: Event = field(default_factory=Event)

    @property
    def ids(self) -> list[str]:
        """The webhook ids it got, in order."""
        return [headers["webhook-id"] for _, headers, _ in self.requests]

    def take(self, handler: Handler) -> None:
        body = handler.body()
        headers = {name.lower(): value for name, value in handler.headers.items()}
        self.requests.append((handler.path, headers, body))
        status, answered = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        self.may_answer.wait(10)
        handler.answer(status, self.says, answered)
        self.answered += 1


@contextmanager
def receiver(*statuses: int, **headers: str) -> Iterator[Receiver]:
    """A receiver on this machine that gives these statuses one after the other, all with these headers."""
    answers = {name.replace("_", "-"): value for name, value in headers.items()}
    taking = Receiver([(status, answers) for status in statuses])
    taking.may_answer.set()

    class Taker(Handler):
        def do_POST(self) -> None:
            taking.take(self)

    with serving(Taker) as address:
        taking.url = f"{address}/hook"
        try:
            yield taking
        finally:
            taking.may_answer.set()


def says_500(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")


def says_nothing(connection: socket.socket) -> None:
    while connection.recv(65536):  # until the caller hangs up
        pass


def drips(connection: socket.socket) -> None:
    for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"y" * 1000:
        connection.sendall(bytes([byte]))
        time.sleep(0.02)


def resets(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def speaks_something_else(connection: socket.socket) -> None:
    connection.sendall(b"SSH-2.0-OpenSSH\r\n")


RUDE = (says_500, says_nothing, drips, resets, speaks_something_else)
"""What receivers do instead of taking a webhook."""


@contextmanager
def rude_receiver(ways: Sequence[Callable[[socket.socket], None]]) -> Iterator[str]:
    """The address of one that treats its callers these ways, one after the other, and then is gone."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def run() -> None:
            for way in ways:
                connection, _ = listener.accept()
                with connection, suppress(OSError):  # the caller hung up, as it should
                    connection.recv(65536)
                    way(connection)

        thread = Thread(target=run)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/hook"
        thread.join(10)
        assert not thread.is_alive(), "it was not called as often"
