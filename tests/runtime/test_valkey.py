"""The embedded server: durable, and never in the way."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from redis import Redis

from runtime.valkey import ValkeyFailed, embedded_valkey


def test_data_outlives_kill_and_restart(tmp_path: Path) -> None:
    with embedded_valkey(tmp_path) as server, Redis.from_url(server.url) as redis:
        redis.set("kept", "yes")
        first = server.pid
        server.restart()
        assert redis.get("kept") == b"yes"
        assert server.pid != first
        server.kill()
        server.restart()
        assert redis.get("kept") == b"yes"


def test_the_server_is_durable_and_evicts_nothing(tmp_path: Path) -> None:
    with embedded_valkey(tmp_path) as server, Redis.from_url(server.url) as redis:
        wanted = {"appendonly": "yes", "appendfsync": "everysec", "maxmemory-policy": "noeviction"}
        assert {name: redis.config_get(name)[name] for name in wanted} == wanted


def test_the_server_listens_on_this_machine_alone_and_ends_with_its_context(tmp_path: Path) -> None:
    with embedded_valkey(tmp_path) as server, Redis.from_url(server.url) as redis:
        assert redis.config_get("bind")["bind"] == "127.0.0.1"
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", server.port)) != 0


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with embedded_valkey(tmp_path / "one") as first, pytest.raises(ValkeyFailed, match=str(first.port)):
        with embedded_valkey(tmp_path / "two", first.port):
            pass
