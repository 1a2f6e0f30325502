"""Bodies of a gigabyte, announced, in chunks, or without a length: refused early, nothing grows."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterator

import pytest
from redis import Redis

from job_store.api_keys import ApiKeys
from job_store.jobs import JobStore
from runtime.valkey import EmbeddedValkey
from tests.faults.gateways import GatewayProcess, gateway_of
from tests.figures import Figure
from tests.service.conftest import make_settings

GIGABYTE, MEGABYTE, PIECE = 1 << 30, 1 << 20, 1 << 16
FORM = b'--x\r\nContent-Disposition: form-data; name="photo"; filename="a.png"\r\n\r\n'
KINDS = {
    "image/png": ("/v1/images", b""),
    "application/json": ("/v1/insertions", b'{"prompt": "'),
    "multipart/form-data; boundary=x": ("/v1/insertions", FORM),
    "application/jsonl": ("/v1/batches", b"{"),
}


@pytest.fixture(scope="module")
def gateway(valkey: EmbeddedValkey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    folder = tmp_path_factory.mktemp("bodies")
    with gateway_of(make_settings(valkey, folder / "artifacts"), folder) as process:
        yield process


def upload(gateway: GatewayProcess, head: str, pieces: Iterator[bytes]) -> tuple[int, bytes]:
    """Send until something comes back. (bytes sent, the beginning of the answer)"""
    settings, sent = gateway.settings, 0
    with socket.create_connection((settings.host, settings.port), timeout=20) as connection:
        connection.sendall(head.encode())
        for piece in pieces:
            if select.select([connection], [], [], 0)[0]:
                break
            try:
                connection.sendall(piece)
            except OSError:  # closed in our face; what was said before is still to be read
                break
            sent += len(piece)
        return sent, connection.recv(PIECE)


def gigabyte(beginning: bytes, chunked: bool) -> Iterator[bytes]:
    for number in range(GIGABYTE // PIECE):
        piece = beginning + b"x" * (PIECE - len(beginning)) if number == 0 else b"x" * PIECE
        yield b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece


@pytest.mark.fault(48)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("how", ["announced", "chunked", "no length", "a false length"])
def test_a_gigabyte_is_refused_early_and_nothing_grows(
    gateway: GatewayProcess, redis: Redis, figure: Figure, kind: str, how: str
) -> None:
    key, (path, beginning) = ApiKeys(redis).create("acme", "test"), KINDS[kind]
    lengths = {
        "announced": f"Content-Length: {GIGABYTE}\r\n",
        "chunked": "Transfer-Encoding: chunked\r\n",
        "no length": "",
        "a false length": f"Content-Length: {MEGABYTE}\r\n",
    }
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Type: {kind}\r\n"
    memory, written = gateway.rss, gateway.written
    sent, answer = upload(gateway, f"{head}{lengths[how]}\r\n", gigabyte(beginning, how == "chunked"))
    status = int(answer.split(b" ", 2)[1])
    if how in ("announced", "chunked"):
        figure(48, "status of a refusal", status)
    else:  # to HTTP the body has ended, and is none
        assert status in (400, 422)
    figure(48, "sent of a gigabyte", sent / MEGABYTE)
    figure(48, "memory added", (gateway.rss - memory) / MEGABYTE)
    figure(48, "written", (gateway.written - written) / MEGABYTE)
    assert JobStore(redis).list("acme", 1)[0] == []
