"""Pictures by URL, from a server that may be anything."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest

from bench.http_server import Handler, serving
from tests.figures import Figure
from tests.service.conftest import BODY
from tests.service.pictures import encoded, gradient

pytestmark = pytest.mark.usefixtures("worker")


BODIES = {
    "/good": encoded(gradient()),
    "/text": b"hello",
    "/page": b"<html><body>a page</body></html>",
    "/svg": b'<svg xmlns="http://www.w3.org/2000/svg"/>',
    "/gzip": gzip.compress(encoded(gradient()) + bytes(10**8)),
    "/large": b"\x89PNG\r\n\x1a\n" + b"x" * 2**21,
    "/endless": b"\x89PNG\r\n\x1a\n",
}
asked: list[str] = []
"""Of the server, one after the other."""


class Foreign(Handler):
    def do_GET(self) -> None:
        asked.append(self.path)
        body, moved = BODIES.get(self.path), re.match(r"/moved/(\d+)", self.path)
        self.send_response(200 if body else 302 if moved else 404)
        self.send_header("Location", f"/moved/{int(moved[1]) - 1}" if moved and moved[1] != "1" else "/good")
        self.send_header("Content-Type", "image/png")
        if self.path == "/gzip":
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        with suppress(OSError):  # the gateway hung up, as it should
            self.wfile.write(body or b"")
            while self.path == "/endless":
                self.wfile.write(b"x" * 65536)


@pytest.fixture
def foreign() -> Iterator[str]:
    with serving(Foreign) as address:
        yield address


@pytest.mark.fault(39)
@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/good", None),
        ("/text", "unsupported_image"),
        ("/page", "unsupported_image"),
        ("/svg", "unsupported_image"),
        ("/gzip", "unsupported_image"),
        ("/large", "source_unavailable"),
        ("/endless", "source_unavailable"),
        ("/moved/1", "source_unavailable"),
        ("/moved/100", "source_unavailable"),
        ("/missing", "source_unavailable"),
    ],
)
def test_a_picture_by_url(
    client: httpx.Client, foreign: str, path: str, code: str | None, figure: Figure
) -> None:
    source = {"kind": "image", "image": {"url": foreign + path}, "prompt": "a photo of a room"}
    asked.clear()
    answer = client.post("/v1/insertions", json={**BODY, "source": source})
    assert answer.json().get("code") == code
    assert answer.status_code == (422 if code else 202)
    figure(39, "requests a picture", len(asked))
