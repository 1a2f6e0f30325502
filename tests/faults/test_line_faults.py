"""The line to the store is cut, mute, slow or forgetful."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx
import pytest

from job_store.connection import connect
from tests.faults.gateway import BODY, gateway_of
from tests.faults.proxy import FAULTS, Fault, Proxy, script
from tests.figures import Figure
from tests.workers.fleet import TENANT, Fleet, fleet_of, short, until


@pytest.fixture(scope="module")
def fleet(proxy: Proxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Two workers behind the failing line; what takes jobs back from them has a sound one."""
    folder = tmp_path_factory.mktemp("fleet")
    with connect(proxy.server_url) as redis:
        settings = short(proxy.url, folder, lease_seconds=3, step_seconds=20)  # a slow store is no hang
        with fleet_of(redis, settings, folder) as fleet:
            fleet.background(short(proxy.server_url, folder))
            yield fleet


@pytest.mark.fault(9)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_worker_parted_from_the_store_finishes_or_is_fenced(
    fleet: Fleet, proxy: Proxy, figure: Figure, fault: Fault
) -> None:
    workers = fleet.workers(2)
    engines = {fleet.until_ready(worker).engine_pid for worker in workers}
    job_id = fleet.submit("slow 10")
    fleet.until_under_way(job_id)
    proxy.fail(fault)
    if fault == "slow":
        fleet.until_ended(job_id, 60)
    else:  # longer than its lease: it is another's then
        until(lambda: fleet.jobs.get(job_id).status == "queued", 30)
    proxy.mend()
    mended_at = time.monotonic()
    after = fleet.submit()
    assert [fleet.until_ended(job, 60).status for job in (job_id, after)] == ["succeeded"] * 2
    figure(9, "done after mending", time.monotonic() - mended_at)
    assert {fleet.until_ready(worker).engine_pid for worker in workers} == engines


@pytest.mark.fault(8)
@pytest.mark.parametrize("fault", ["cut", "drop"])
def test_a_gateway_without_a_store_refuses_at_once(
    fleet: Fleet, proxy: Proxy, figure: Figure, fault: Fault
) -> None:
    workers = fleet.workers(1)
    with gateway_of(fleet, proxy.url) as client:
        assert client.post("/v1/insertions", json=BODY).status_code == 202
        proxy.fail(fault)
        for _ in range(3):
            asked_at = time.monotonic()
            answer = client.post("/v1/insertions", json=BODY)
            figure(8, "refused", time.monotonic() - asked_at)
            assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")
            assert answer.headers["Retry-After"]
        proxy.mend()
        accepted = until(lambda: _accepted(client.post("/v1/insertions", json=BODY)), 30)
    assert fleet.until_ended(accepted, 60).status == "succeeded"
    figure(8, "processes that ended", sum(worker.poll() is not None for worker in workers))


@pytest.mark.fault(10)
@pytest.mark.parametrize("reply", ["the job's acceptance", "its ticket"])
def test_a_lost_reply_makes_one_job_that_runs_once(
    fleet: Fleet, proxy: Proxy, figure: Figure, reply: str
) -> None:
    fleet.workers(1)
    with gateway_of(fleet, proxy.url) as client:
        assert (
            client.post("/v1/insertions", json=BODY).status_code == 202
        )  # scripts and connections are there
        before = len(fleet.jobs.list(TENANT, 100)[0])
        lost = proxy.lose_reply(script("submit") if reply == "the job's acceptance" else b"EXEC")
        answer = client.post("/v1/insertions", json=BODY, headers={"Idempotency-Key": f"one-{reply}"})
        assert answer.status_code == 202
        assert lost.caught.is_set()
    record = fleet.until_ended(answer.json()["id"], 60)
    assert record.status == "succeeded"
    figure(10, "jobs made", len(fleet.jobs.list(TENANT, 100)[0]) - before)
    figure(10, "starts", record.attempts)


def _accepted(answer: httpx.Response) -> str | None:
    """The new job's id."""
    return str(answer.json()["id"]) if answer.status_code == 202 else None
