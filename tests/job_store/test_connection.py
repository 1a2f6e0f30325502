"""Connections: quick to fail, quick to come back."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest

from job_store.connection import connect
from job_store.errors import StoreUnavailable
from job_store.jobs import JobStore
from job_store.server import Server
from runtime.valkey import embedded_valkey, free_port
from tests.job_store.samples import new_job

FAIL_SECONDS = 2.0  # what a gateway may take to say 503


def seconds_to_fail(url: str) -> float:
    with connect(url) as redis:
        started = time.monotonic()
        with pytest.raises(StoreUnavailable):
            Server(redis).command("PING")
        return time.monotonic() - started


def test_a_dead_server_is_noticed_in_time() -> None:
    assert seconds_to_fail(f"redis://127.0.0.1:{free_port()}") < FAIL_SECONDS


def test_a_silent_server_is_noticed_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}"
        # Three quarters of it are the wait itself: a busy machine may miss once.
        assert any(seconds_to_fail(url) < FAIL_SECONDS for _ in range(3))


def test_dead_sentinels_are_noticed_in_time() -> None:
    hosts = ",".join(f"127.0.0.1:{free_port()}" for _ in range(3))
    assert seconds_to_fail(f"redis+sentinel://{hosts}/store") < FAIL_SECONDS


def test_a_restarted_server_has_what_was_accepted(tmp_path: Path) -> None:
    with embedded_valkey(tmp_path) as server, connect(server.url) as redis:
        store = JobStore(redis)
        record, _ = store.submit(new_job())
        server.restart()
        assert store.get(record.id) == record
        server.kill()
        with pytest.raises(StoreUnavailable):
            store.get(record.id)
        server.restart()
        assert store.get(record.id) == record
