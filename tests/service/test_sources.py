"""Pictures by URL, from a server that may be anything."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from tests.service.conftest import BODY
from tests.service.pictures import encoded, gradient

pytestmark = pytest.mark.usefixtures("worker")


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        bodies = {
            "/good": encoded(gradient()),
            "/text": b"hello",
            "/large": b"\x89PNG\r\n\x1a\n" + b"x" * 2**21,
        }
        self.send_response(302 if self.path == "/moved" else 200 if self.path in bodies else 404)
        self.send_header("Location", "/good")
        self.end_headers()
        self.wfile.write(bodies.get(self.path, b""))

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def foreign() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/good", None),
        ("/text", "unsupported_image"),
        ("/large", "source_unavailable"),
        ("/moved", "source_unavailable"),
        ("/missing", "source_unavailable"),
    ],
)
def test_a_picture_by_url(client: httpx.Client, foreign: str, path: str, code: str | None) -> None:
    source = {"kind": "image", "image": {"url": foreign + path}, "prompt": "a photo of a room"}
    answer = client.post("/v1/insertions", json={**BODY, "source": source})
    assert answer.json().get("code") == code
    assert answer.status_code == (422 if code else 202)
