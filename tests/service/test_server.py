"""The server below the app: slow heads and slow bodies do not hold it."""

from __future__ import annotations

import select
import socket
import time

import httpx
import pytest

from api_schemas.errors import Problem
from service import body_guard, server
from tests.figures import Figure


def answer_to(client: httpx.Client, data: bytes) -> bytes:
    """What comes back until the server closes."""
    url = client.base_url
    with socket.create_connection((url.host, url.port or 80), timeout=10) as connection:
        connection.sendall(data)
        pieces = []
        while piece := connection.recv(65_536):
            pieces.append(piece)
        return b"".join(pieces)


@pytest.mark.fault(49)
@pytest.mark.parametrize("head", [b"", b"GET /livez HT", b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: "])
def test_a_head_that_does_not_end_is_closed(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch, head: bytes, figure: Figure
) -> None:
    monkeypatch.setattr(server, "HEAD_SECONDS", 0.3)
    began = time.monotonic()
    assert answer_to(client, head) == b""
    figure(49, "closed after its limit", time.monotonic() - began - server.HEAD_SECONDS)


def head_of_a_body(client: httpx.Client, length: int) -> bytes:
    """Of an upload of so many bytes."""
    lines = (
        f"POST /v1/images HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: {length}\r\n"
        f"Authorization: {client.headers['Authorization']}\r\n\r\n"
    )
    return lines.encode()


@pytest.mark.fault(49)
@pytest.mark.parametrize("begun", [b"abc", b"x" * 2000])
def test_a_body_that_stops_is_refused(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch, figure: Figure, begun: bytes
) -> None:
    monkeypatch.setattr(body_guard, "PATIENCE_SECONDS", 0.3)
    monkeypatch.setattr(body_guard, "FAIR_BYTES", 1000)
    began = time.monotonic()
    answer = answer_to(client, head_of_a_body(client, 9999) + begun)
    figure(49, "closed after its limit", time.monotonic() - began - body_guard.PATIENCE_SECONDS)
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"too slowly" in answer


@pytest.mark.parametrize(("piece", "status"), [(1, b"400"), (1000, b"422")])
def test_a_body_is_as_slow_as_is_fair(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch, piece: int, status: bytes
) -> None:
    """Thirty pieces, 0.1 s apart: twice the patience for their least."""
    monkeypatch.setattr(body_guard, "PATIENCE_SECONDS", 1.5)
    monkeypatch.setattr(body_guard, "FAIR_BYTES", 1000)
    url = client.base_url
    with socket.create_connection((url.host, url.port or 80), timeout=10) as connection:
        connection.sendall(head_of_a_body(client, 30 * piece))
        for _ in range(30):
            if select.select([connection], [], [], 0.1)[0]:
                break
            connection.sendall(b"x" * piece)
        assert connection.recv(65_536).split(b" ", 2)[1] == status


def test_keep_alive_survives_the_deadline_of_the_head(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "HEAD_SECONDS", 0.5)
    assert client.get("/livez").status_code == 200
    began = time.monotonic()
    while time.monotonic() - began < 1:
        assert client.get("/livez").status_code == 200


def test_what_is_not_http_gets_a_problem(client: httpx.Client) -> None:
    head, _, body = answer_to(client, b"\x16\x03\x01 not http\r\n\r\n").partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400")
    assert b"content-type: application/problem+json" in head
    assert Problem.model_validate_json(body).code == "malformed_request"
