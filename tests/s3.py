"""A real S3 API server (moto over HTTP), and before it a proxy that answers as a failing one would."""

from __future__ import annotations

import http.client
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from bench.http_server import Handler, serving

BUCKET = "pictures"
URL = f"s3://{BUCKET}/artifacts"
METHODS = frozenset({"GET", "HEAD", "PUT", "POST", "DELETE"})
OF_THE_CONNECTION = ("content-length", "transfer-encoding", "connection", "date", "server")
BODIES = {
    500: b"<Error><Code>InternalError</Code><Message>We encountered an error.</Message></Error>",
    503: b"<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>",
    403: b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>",
}


@dataclass
class Bucket:
    """A bucket of our own on a server that can be told to fail.

    status: what `methods` are answered with instead, None: nothing of the kind
    times: how often, None: for ever; delay: seconds before any answer
    asked: (monotonic time, method, path) of every request
    """

    address: str = ""
    status: int | None = None
    methods: frozenset[str] = METHODS
    times: int | None = None
    delay: float = 0.0
    asked: list[tuple[float, str, str]] = field(default_factory=list)
    end: threading.Event = field(default_factory=threading.Event)

    def heal(self) -> None:
        """Answer as the server does."""
        self.status, self.times, self.delay = None, None, 0.0
        self.methods = METHODS

    def fails(self, method: str) -> bool:
        """Whether this request gets no answer of the server's."""
        if self.status is None or method not in self.methods or self.times == 0:
            return False
        self.times = None if self.times is None else self.times - 1
        return True

    def objects(self) -> set[str]:
        """Of all objects there are, below the store's folder."""
        pages = self._client().get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        found = [one["Key"] for page in pages for one in page.get("Contents", [])]
        return {key.removeprefix("artifacts/") for key in found}

    def put(self, key: str, data: bytes) -> None:
        """An object anywhere in the bucket."""
        self._client().put_object(Bucket=BUCKET, Key=key, Body=data)

    def empty(self) -> None:
        """A bucket with nothing in it."""
        client = self._client()
        if BUCKET not in [one["Name"] for one in client.list_buckets()["Buckets"]]:
            client.create_bucket(Bucket=BUCKET)
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
            for one in page.get("Contents", []):
                client.delete_object(Bucket=BUCKET, Key=one["Key"])

    def _client(self) -> Any:
        import boto3  # takes a second, which runs without S3 need not spend

        return boto3.client(
            "s3",
            endpoint_url=self.address,
            region_name="us-east-1",
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )


@contextmanager
def failing_s3() -> Iterator[Bucket]:
    """The server and its proxy, for as long as the context lasts."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line per request
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    bucket = Bucket()
    try:
        with serving(_handler(bucket, host, port)) as bucket.address:
            yield bucket
            bucket.end.set()
    finally:
        server.stop()


def _handler(bucket: Bucket, host: str, port: int) -> type[Handler]:
    class Proxy(Handler):
        protocol_version = "HTTP/1.1"

        def pass_on(self) -> None:
            body = self.body()
            bucket.asked.append((time.monotonic(), self.command, self.path))
            bucket.end.wait(bucket.delay)
            if bucket.fails(self.command):
                assert bucket.status is not None
                self.pass_back(bucket.status, {"Content-Type": "application/xml"}, BODIES[bucket.status])
                return
            upstream = http.client.HTTPConnection(host, port, timeout=20)
            upstream.request(self.command, self.path, body, dict(self.headers))
            response = upstream.getresponse()
            self.pass_back(response.status, dict(response.getheaders()), response.read())
            upstream.close()

        def pass_back(self, status: int, headers: dict[str, str], body: bytes) -> None:
            length = headers.get("Content-Length", "0") if self.command == "HEAD" else str(len(body))
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in OF_THE_CONNECTION:
                    self.send_header(name, value)
            self.send_header("Content-Length", length)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = pass_on

        def handle(self) -> None:
            try:
                super().handle()
            except OSError:
                """The client had no patience."""

    return Proxy


@pytest.fixture(scope="session")
def s3_server() -> Iterator[Bucket]:
    """One for a run; what s3fs and boto look for in the environment leads to it."""
    patch = pytest.MonkeyPatch()
    with failing_s3() as bucket:
        patch.setenv("AWS_ENDPOINT_URL", bucket.address)
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        yield bucket
    patch.undo()


@pytest.fixture
def s3(s3_server: Bucket) -> Iterator[Bucket]:
    """An empty bucket at a healthy server."""
    s3_server.heal()
    s3_server.empty()
    s3_server.asked.clear()
    yield s3_server
    s3_server.heal()
