"""Servers of tests and benchmarks answer, and end with their block."""

from __future__ import annotations

import httpx
import pytest

from bench.http_server import Handler, serving


class Echo(Handler):
    def do_POST(self) -> None:
        self.answer(204 if self.path == "/nothing" else 200, self.body(), {"x-heard": self.path})


def test_a_request_is_answered_until_the_block_ends() -> None:
    with serving(Echo) as address:
        answer = httpx.post(f"{address}/hook", content=b"news")
        assert (answer.status_code, answer.content, answer.headers["x-heard"]) == (200, b"news", "/hook")
        assert httpx.post(f"{address}/nothing", content=b"news").content == b""
    with pytest.raises(httpx.ConnectError):
        httpx.post(f"{address}/hook")
