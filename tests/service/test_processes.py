"""A gateway of several processes: one port, one sum of counts, nobody lost for good."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest
from pydantic import SecretStr

from runtime.valkey import EmbeddedValkey
from tests.faults.gateways import GatewayProcess, gateway_of
from tests.service.conftest import make_settings
from tests.workers.fleet import until

COUNTED = re.compile(r'addit_http_requests_total\{method="GET",route="/livez",status="200"\} (\d+)')


@pytest.fixture(scope="module")
def started(valkey: EmbeddedValkey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    folder = tmp_path_factory.mktemp("processes")
    with gateway_of(make_settings(valkey, folder / "artifacts", gateway_processes=2), folder) as gateway:
        yield gateway


@pytest.fixture
def gateway(started: GatewayProcess) -> Iterator[GatewayProcess]:
    """One for all tests of this file: each leaves it serving."""
    yield started
    assert httpx.get(f"{started.url}/livez").status_code == 200


def children_of(gateway: GatewayProcess) -> list[psutil.Process]:
    """Those that serve."""
    return [one for one in psutil.Process(gateway.pid).children() if serves(one)]


def serves(process: psutil.Process) -> bool:
    """multiprocessing has a process of its own beside them."""
    with suppress(psutil.Error):  # it ends just now
        return any("spawn_main" in word for word in process.cmdline())
    return False


def ask(gateway: GatewayProcess, times: int) -> int:
    """How often one was answered that connects anew each time."""
    answered = 0
    for _ in range(times):
        with suppress(httpx.TransportError):
            answered += httpx.get(f"{gateway.url}/livez").status_code == 200
    return answered


def counted(gateway: GatewayProcess) -> int:
    found = COUNTED.search(httpx.get(f"{gateway.url}/metrics").text)
    return int(float(found[1])) if found else 0


def test_whoever_is_asked_tells_the_requests_of_all(gateway: GatewayProcess) -> None:
    assert len(children_of(gateway)) == 2
    before = counted(gateway)
    assert ask(gateway, 20) == 20
    assert [counted(gateway) - before for _ in range(6)] == [20] * 6


def test_one_that_is_killed_is_replaced_while_the_other_serves(gateway: GatewayProcess) -> None:
    killed, other = children_of(gateway)
    before = counted(gateway)
    killed.kill()
    until(lambda: other in (now := children_of(gateway)) and killed not in now and len(now) == 2, 30)
    assert ask(gateway, 10) == 10
    assert counted(gateway) >= before + 10, "what the dead one counted stays counted"


def test_children_end_with_their_parent_however_it_ends(gateway: GatewayProcess) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        children = children_of(gateway)
        os.kill(gateway.pid, number)
        gateway.wait()
        _, alive = psutil.wait_procs(children, timeout=30)
        assert not alive
        gateway.start_again()


def test_settings_that_no_process_can_work_with_end_them_all(valkey: EmbeddedValkey, tmp_path: Path) -> None:
    settings = make_settings(valkey, tmp_path, gateway_processes=2, signing_secret=SecretStr(""))
    with (
        pytest.raises(AssertionError, match="ADDIT_SIGNING_SECRET must be set"),
        gateway_of(settings, tmp_path),
    ):
        pass
