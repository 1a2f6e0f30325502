"""Clients that send a byte a second, or do not read: gone within 15 seconds, and nobody waits for them."""

from __future__ import annotations

import json
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest
from redis import Redis

from bench.figures import percentile
from job_store.api_keys import ApiKeys
from job_store.jobs import JobStore
from job_store.keys import Key
from job_store.records import NewJob
from runtime.valkey import EmbeddedValkey
from tests.faults.gateways import GatewayProcess, gateway_of
from tests.figures import Figure
from tests.job_store.samples import request
from tests.service.conftest import make_settings
from tests.workers.fleet import until

EACH = 120
"""Sockets of a kind."""
READERS = 8
"""Fewer: the kernel takes megabytes for each before it stops taking more."""
LONG = 45.0
"""Seconds after which nobody waits for their end any more."""


@pytest.fixture(scope="module")
def gateway(valkey: EmbeddedValkey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    folder = tmp_path_factory.mktemp("slow")
    with gateway_of(make_settings(valkey, folder / "artifacts"), folder) as process:
        yield process


@pytest.fixture
def key(redis: Redis) -> str:
    return ApiKeys(redis).create("acme", "test")


@pytest.fixture
def long_story(redis: Redis) -> str:
    """A job with megabytes of events."""
    JobStore(redis).submit(NewJob("ins_long", "acme", "small", request(), source_key=None))
    data = json.dumps({"stage": "denoise", "step": 1, "total": 2, "percent": 1, "more": "x" * 4000})
    for _ in range(1500):
        redis.xadd(Key.EVENTS + "ins_long", {"type": "progress", "data": data})
    return "ins_long"


def connect_to(gateway: GatewayProcess, said: str, receive_bytes: int | None = None) -> socket.socket:
    connection = socket.socket()
    if receive_bytes:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    connection.connect((gateway.settings.host, gateway.settings.port))
    connection.sendall(said.encode())
    return connection


class Watch:
    """Sees the other side close connections, unless so much is unread that no more comes through."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._opened_at: dict[int, float] = {}

    def add(self, connection: socket.socket) -> socket.socket:
        """From now on."""
        self._opened_at[connection.fileno()] = time.monotonic()
        self._epoll.register(connection, select.EPOLLRDHUP)
        return connection

    def longest(self, within: float) -> float:
        """Seconds that the last of them was open. AssertionError: not all are closed in so many seconds."""
        ends_at, longest = time.monotonic() + within, 0.0
        while self._opened_at:
            left = ends_at - time.monotonic()
            assert left > 0, f"{len(self._opened_at)} are still open"
            for number, _ in self._epoll.poll(left):
                longest = max(longest, time.monotonic() - self._opened_at.pop(number))
                self._epoll.unregister(number)
        self._epoll.close()
        return longest


class Drip(threading.Thread):
    """A byte a second to each."""

    def __init__(self, sockets: list[socket.socket]) -> None:
        super().__init__()
        self._sockets, self._over = sockets, threading.Event()

    def run(self) -> None:
        while not self._over.wait(1):
            for connection in self._sockets:
                with suppress(OSError):
                    connection.send(b"x")

    def end(self) -> None:
        self._over.set()
        self.join()


def p99_ms(gateway: GatewayProcess, key: str, seconds: float) -> float:
    """Of an ordinary client's requests."""
    times, ends = [], time.monotonic() + seconds
    with httpx.Client(base_url=gateway.url, headers={"Authorization": f"Bearer {key}"}) as client:
        while time.monotonic() < ends:
            began = time.perf_counter()
            assert client.get("/v1/insertions", params={"limit": 1}).status_code == 200
            times.append(1000 * (time.perf_counter() - began))
    return percentile(times, 0.99)


def few_are_left(gateway: GatewayProcess, usual: int) -> bool:
    """Looked at four times a second: counting connections takes the gateway's own processor."""
    time.sleep(0.25)
    return gateway.connections <= usual


@pytest.mark.fault(49)
def test_slow_clients_are_closed_and_nobody_waits_for_them(
    gateway: GatewayProcess, key: str, long_story: str, figure: Figure
) -> None:
    before = p99_ms(gateway, key, 2)
    usual, watch = gateway.connections, Watch()
    body = (
        "POST /v1/images HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: 99999\r\n"
        f"Authorization: Bearer {key}\r\n\r\n"
    )
    stream = (
        f"GET /v1/insertions/{long_story}/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\r\n"
    )
    head = "GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: "
    heads = [watch.add(connect_to(gateway, head)) for _ in range(EACH)]
    bodies = [watch.add(connect_to(gateway, body)) for _ in range(EACH)]
    reading_since = time.monotonic()
    readers = [connect_to(gateway, stream, receive_bytes=4096) for _ in range(READERS)]
    everyone = [*heads, *bodies, *readers]
    until(lambda: gateway.connections > usual + EACH, 60)
    drip = Drip([*heads, *bodies])
    drip.start()
    try:
        during = p99_ms(gateway, key, 5)
        seconds = watch.longest(LONG)
        until(lambda: few_are_left(gateway, usual), LONG)
        seconds = max(seconds, time.monotonic() - reading_since)
    finally:
        drip.end()
        for connection in everyone:
            connection.close()
    print(f"others' p99 {before:.0f} ms before, {during:.0f} ms during")  # noqa: T201
    figure(49, "slow clients at once", len(everyone))
    figure(49, "closed", seconds)
    figure(49, "others' answers at p99", during / 1000)
