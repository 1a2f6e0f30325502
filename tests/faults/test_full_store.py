"""The store has no memory left: nothing new is taken, nothing old is given up."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from job_store.connection import connect
from runtime.valkey import EmbeddedValkey, embedded_valkey
from tests.faults.gateway import BODY, gateway_of
from tests.figures import Figure
from tests.workers.fleet import Fleet, fleet_of, short


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedValkey]:
    """One of its own: it is going to be full."""
    with embedded_valkey(tmp_path_factory.mktemp("valkey")) as valkey:
        yield valkey


@pytest.fixture(scope="module")
def fleet(valkey: EmbeddedValkey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("fleet")
    with connect(valkey.url) as redis, fleet_of(redis, short(valkey.url, folder), folder) as fleet:
        fleet.background()
        yield fleet


@pytest.mark.fault(11)
def test_a_full_store_refuses_new_jobs_and_keeps_the_old(
    valkey: EmbeddedValkey, fleet: Fleet, figure: Figure
) -> None:
    fleet.workers(1)
    with gateway_of(fleet, valkey.url) as client:
        running = fleet.submit("slow 60")
        fleet.until_under_way(running)
        fleet.redis.config_set("maxmemory", "1mb")  # less than it has in use
        for _ in range(3):
            answer = client.post("/v1/insertions", json=BODY)
            figure(11, "status of a refusal", answer.status_code)
            assert answer.json()["code"] == "store_unavailable"
        reads = ["/v1/insertions", f"/v1/insertions/{running}", "/v1/models", "/readyz", "/metrics"]
        figure(11, "reads refused", sum(client.get(path).status_code != 200 for path in reads))
        figure(11, "running jobs lost", int(fleet.until_ended(running, 60).status != "succeeded"))
        figure(11, "keys evicted", fleet.redis.info("stats")["evicted_keys"])
        fleet.redis.config_set("maxmemory", "0")
        again = client.post("/v1/insertions", json=BODY)
    assert fleet.until_ended(again.json()["id"], 60).status == "succeeded"
