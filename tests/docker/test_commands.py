"""The very commands that the containers run, run here until their own health checks are content."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from redis import Redis
from redis.exceptions import RedisError

import runtime.settings
from runtime.settings import Settings
from runtime.valkey import embedded_valkey, free_port
from tests.docker.compose import SERVICES, command, environment, health_check

HERE = Settings(
    runner="tests.workers.scripted_runner:load",
    model="scripted",
    signing_secret=SecretStr("signing"),
    webhook_secret=SecretStr("whsec_c2VjcmV0c2VjcmV0c2VjcmV0"),
)


def here(words: list[str]) -> list[str]:
    """The same command with this environment's Python."""
    return [sys.executable if word == "python" else word for word in words]


@contextmanager
def container(service: str, settings: Settings, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The service's command with its environment, this machine's addresses in place of the network's."""
    env = environment(service) | runtime.settings.environment(settings)
    env["PATH"] = runtime.settings.environment(settings)["PATH"]
    with log.open("wb") as output:
        process = subprocess.Popen(here(command(service)), env=env, stdout=output, stderr=output)
    try:
        yield process
    finally:
        process.terminate()
        # uvicorn, having shut down in order, ends by the signal it was sent
        assert process.wait(15) in (0, -signal.SIGTERM), log.read_text()


def healthy(service: str, settings: Settings) -> bool:
    env = runtime.settings.environment(settings)
    check = subprocess.run(here(health_check(service)), env=env, capture_output=True, check=False)
    return check.returncode == 0


def wait_until_healthy(service: str, settings: Settings) -> None:
    deadline = time.monotonic() + 60
    while not healthy(service, settings):
        assert time.monotonic() < deadline, service
        time.sleep(0.2)


def test_gateway_worker_and_background_come_up_together_and_stop_cleanly(tmp_path: Path) -> None:
    with ExitStack() as stack:
        valkey = stack.enter_context(embedded_valkey(tmp_path / "valkey"))
        artifacts = f"file://{tmp_path}/artifacts"
        settings = HERE.model_copy(
            update={"redis_url": valkey.url, "port": free_port(), "artifact_url": artifacts}
        )
        for name in ("gateway", "worker", "background"):
            stack.enter_context(container(name, settings, tmp_path / f"{name}.log"))
        for name in ("gateway", "background"):
            wait_until_healthy(name, settings)
        deadline = time.monotonic() + 30
        while httpx.get(f"http://127.0.0.1:{settings.port}/readyz").status_code != 200:
            assert time.monotonic() < deadline, (tmp_path / "worker.log").read_text()
            time.sleep(0.1)


def test_the_studio_comes_up_before_its_gateway_and_stops_cleanly(tmp_path: Path) -> None:
    settings = HERE.model_copy(update={"studio_port": free_port()})
    with container("studio", settings, tmp_path / "studio.log"):
        wait_until_healthy("studio", settings)


@pytest.mark.parametrize("service", ["gateway", "background", "studio"])
def test_the_health_check_of_a_dead_process_fails(service: str) -> None:
    nowhere = HERE.model_copy(
        update={
            "port": free_port(),
            "studio_port": free_port(),
            "redis_url": f"redis://127.0.0.1:{free_port()}/0",
        }
    )
    assert not healthy(service, nowhere)


def test_the_worker_is_well_while_it_has_a_child(tmp_path: Path) -> None:
    check = health_check("worker")
    pattern = check[-1].replace("/proc/1/task/1/", "/proc/{0}/task/{0}/")
    sleeper = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'input()'])"
    parent = subprocess.Popen([sys.executable, "-c", sleeper], stdin=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 10
        while subprocess.run([*check[:-1], pattern.format(parent.pid)], check=False).returncode != 0:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        parent.communicate(b"\n")


def test_the_store_takes_its_options_and_is_durable(tmp_path: Path) -> None:
    with embedded_valkey(tmp_path / "other") as other:
        binary = Path(f"/proc/{other.pid}/exe").readlink()
    port = free_port()
    words = [
        str(binary),
        *command("valkey")[1:],
        "--port",
        str(port),
        "--dir",
        str(tmp_path),
        "--bind",
        "127.0.0.1",
    ]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    try:
        with Redis(port=port) as redis:
            wait_until_answering(redis)
            for option, value in {"appendonly": "yes", "maxmemory-policy": "noeviction", "save": ""}.items():
                assert redis.config_get(option)[option] == value
    finally:
        process.terminate()
        process.wait(10)
    assert SERVICES["valkey"]["volumes"] == ["valkey:/data"]


def wait_until_answering(redis: Redis) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with suppress(RedisError):
            redis.ping()
            return
        time.sleep(0.05)
    pytest.fail("the store did not come up")
