"""The gateway dies with a request in its hands."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime

import httpx
import pytest

from job_store import tickets
from job_store.api_keys import ApiKeys
from job_store.workers import WorkerState
from runtime.settings import environment
from runtime.valkey import free_port
from tests.figures import Figure
from tests.service.conftest import serving
from tests.workers.fleet import ROOT, Fleet, until
from tests.workers.scripted_runner import CARD

BODY = {"source": {"kind": "generated", "prompt": "a room"}, "prompt": "a dog in a room", "subject": "dog"}


@pytest.mark.fault(31)
def test_a_job_whose_gateway_died_before_its_ticket_is_run_all_the_same(fleet: Fleet, figure: Figure) -> None:
    in_name_only(fleet)
    settings = fleet.settings.model_copy(update={"port": free_port()})
    command = [sys.executable, "-m", "tests.faults.dying_gateway"]
    gateway = subprocess.Popen(command, cwd=ROOT, env=environment(settings))
    fleet.processes.append(gateway)
    headers = {
        "Authorization": f"Bearer {ApiKeys(fleet.redis).create('acme', 'test')}",
        "Idempotency-Key": "k",
    }
    address = f"http://{settings.host}:{settings.port}"
    until(lambda: _alive(address), 30)
    with pytest.raises(httpx.TransportError):
        httpx.post(f"{address}/v1/insertions", json=BODY, headers=headers, timeout=30)
    gateway.wait(10)
    (record,) = fleet.jobs.list("acme")[0]
    assert record.status == "queued"
    assert tickets.queue(fleet.redis, CARD.name).count == 0
    fleet.background()
    fleet.workers(1)
    began = time.monotonic()
    assert fleet.until_ended(record.id, 60).status == "succeeded"
    figure(31, "done by a ready worker", time.monotonic() - began)
    with serving(settings.model_copy(update={"port": free_port()})) as url:
        again = httpx.post(f"{url}/v1/insertions", json=BODY, headers=headers, timeout=30)
    assert (again.status_code, again.json()["id"]) == (202, record.id)
    assert again.headers["Idempotent-Replayed"] == "true"
    figure(31, "jobs of both submissions", len(fleet.jobs.list("acme")[0]))


def in_name_only(fleet: Fleet) -> None:
    """A worker by whose card the gateway judges; a real one would look for jobs without a ticket too."""
    fleet.registry.announce(CARD)
    now = datetime.now(UTC)
    fleet.registry.put_state(WorkerState("other", CARD.name, "ready", 1, 2, now, now), 60)


def _alive(address: str) -> bool:
    try:
        return httpx.get(f"{address}/livez").status_code == 200
    except httpx.TransportError:
        return False
