"""A gateway of two cells: tenants live apart, and what happens to one cell does not happen to the other."""

from __future__ import annotations

import time

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from job_store.api_keys import ApiKeys
from job_store.jobs import JobStore
from service.cells.cell import build_cells
from tests.client.test_cli import addit
from tests.service.cells.conftest import BODY, NAMES, OPERATORS_KEY, Stack
from tests.workers.fleet import until

DONE = {"Prefer": "wait=60"}


def inserted(client: httpx.Client) -> dict[str, object]:
    answer = client.post("/v1/insertions", json=BODY, headers=DONE)
    assert answer.status_code == 200, answer.text
    job: dict[str, object] = answer.json()
    assert job["status"] == "succeeded", job
    return job


@pytest.mark.parametrize("name", NAMES)
def test_a_tenants_jobs_and_pictures_are_in_its_cell_alone(stack: Stack, name: str) -> None:
    tenant = stack.tenant_of(name)
    with stack.client(tenant) as client:
        job = inserted(client)
        picture = client.get(job["result"]["images"][0]["url"], headers={"Authorization": ""})  # type: ignore[index]
        assert picture.status_code == 200
        assert [one["id"] for one in client.get("/v1/insertions").json()["data"]] == [job["id"]]
        events = client.get(f"/v1/insertions/{job['id']}/events").text
        assert "event: completed" in events
    for cell in stack.cells.values():
        ids = [record.id for record in JobStore(cell.fleet.redis).list(tenant)[0]]
        assert ids == ([job["id"]] if cell.name == name else [])
        assert bool(cell.fleet.artifacts.keys(f"t/{tenant}/")) == (cell.name == name)


def test_no_key_opens_another_cell(stack: Stack) -> None:
    mine, other = (stack.tenant_of(name) for name in NAMES)
    with stack.client(mine) as client, stack.client(other) as foreign:
        job = inserted(client)
        assert foreign.get(f"/v1/insertions/{job['id']}").status_code == 404
    with stack.client(mine, cell="two") as strayed:  # a key that lies where its tenant does not live
        assert strayed.get("/v1/insertions").status_code == 401
    for header in ("", "Bearer nothing", f"Bearer addit_{'0' * 12}_{'0' * 32}"):
        answer = httpx.get(f"{stack.gateway.url}/v1/insertions", headers={"Authorization": header})
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")


def test_readiness_tells_of_each_cell(stack: Stack) -> None:
    told = httpx.get(f"{stack.gateway.url}/readyz").json()
    assert told == {"status": "ready", "models": ["scripted"], "cells": {"one": "ready", "two": "ready"}}


def test_metrics_carry_their_cell(stack: Stack) -> None:
    page = httpx.get(f"{stack.gateway.url}/metrics").text
    families = {family.name: family for family in text_string_to_metric_families(page)}
    for name in ("addit_store_up", "addit_workers"):
        assert [sample.labels["cell"] for sample in families[name].samples] == [*NAMES]
    assert page.count("# TYPE addit_store_up gauge") == 1, "a page may name a family once"


def test_operators_see_and_steer_all_cells(stack: Stack) -> None:
    with stack.operators() as operators:
        workers = operators.get("/admin/workers").json()
        assert sorted(one["cell"] for one in workers["data"]) == ["one", "two"]
        assert workers["unreached"] == []
        second = next(one for one in workers["data"] if one["cell"] == "two")
        drained = operators.post(f"/admin/workers/{second['name']}/drain")
        assert (drained.status_code, drained.json()["drained"]) == (200, True)
        assert operators.post(f"/admin/workers/{second['name']}/undrain").status_code == 200
        assert operators.post("/admin/workers/worker_none/drain").status_code == 404
        said = addit(
            "admin", "workers", ADDIT_ADMIN_URL=str(operators.base_url), ADDIT_ADMIN_KEY=OPERATORS_KEY
        )
        cells = [line.split("│")[-2].strip() for line in said.stdout.splitlines() if "scripted" in line]
        assert sorted(cells) == ["one", "two"]
        paused = operators.post("/admin/queues/scripted/pause").json()
        assert (paused["paused"], paused["workers"]) == (True, 2)
        assert operators.post("/admin/queues/scripted/resume", params={"cell": "one"}).json()["workers"] == 1
        queues = {one["cell"]: one["paused"] for one in operators.get("/admin/queues").json()["data"]}
        assert queues == {"one": False, "two": True}
        assert operators.post("/admin/queues/scripted/resume").json()["paused"] is False
        acts = operators.get("/admin/acts", params={"limit": 3}).json()["data"]
        assert [one["what"] for one in acts] == ["resume", "resume", "resume"]
        assert operators.get("/admin/acts", params={"limit": "x"}).status_code == 422
    assert httpx.get(f"{operators.base_url}/admin/workers").status_code == 401


def test_a_key_made_by_operators_lies_in_its_tenants_cell(stack: Stack) -> None:
    tenant = stack.tenant_of("two", 5)
    with stack.operators() as operators:
        made = operators.post(f"/admin/tenants/{tenant}/keys", json={"name": "shop"}).json()
        assert [key.name for key in ApiKeys(stack.cells["two"].fleet.redis).list(tenant)] == ["shop"]
        assert operators.put(f"/admin/tenants/{tenant}", json={"weight": 2}).json()["limits"]["weight"] == 2
        headers = {"Authorization": f"Bearer {made['key']}"}
        assert httpx.get(f"{stack.gateway.url}/v1/insertions", headers=headers).status_code == 200
        assert operators.delete(f"/admin/keys/{made['id']}").status_code == 204
        assert httpx.get(f"{stack.gateway.url}/v1/insertions", headers=headers).status_code == 401
        assert operators.delete(f"/admin/keys/{'0' * 12}").status_code == 404


def test_one_cell_killed_leaves_the_others_service_undisturbed(stack: Stack) -> None:
    lost, kept = stack.cells["one"], stack.tenant_of("two")
    with stack.client(kept) as there, stack.client(stack.tenant_of("one")) as here:
        inserted(here)
        lost.valkey.kill()
        for _ in range(5):
            inserted(there)
        answer = here.get("/v1/insertions")
        assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")
        until(lambda: _states(stack) == {"one": "store_unavailable", "two": "ready"}, 30)
        began = time.monotonic()
        refused = [here.post("/v1/insertions", json=BODY).status_code for _ in range(40)]
        assert refused == [503] * 40
        inserted(there)
        assert time.monotonic() - began < 30, "refusals do not wait for the store"
        _new_keys(stack, kept)
        with stack.operators() as operators:
            told = operators.get("/admin/workers").json()
            assert ([one["cell"] for one in told["data"]], told["unreached"]) == (["two"], ["one"])
            assert operators.post("/admin/queues/scripted/pause").status_code == 503
            assert operators.post("/admin/queues/scripted/resume", params={"cell": "two"}).status_code == 200
        assert httpx.get(f"{stack.gateway.url}/livez").status_code == 200
        lost.valkey.restart()
        until(lambda: _states(stack) == {"one": "ready", "two": "ready"}, 60)
        inserted(here)


def _new_keys(stack: Stack, tenant: str) -> None:
    """A key nobody asked for before is found beside a cell that is down; one that none has is not judged."""
    with stack.client(tenant) as fresh:
        assert fresh.get("/v1/insertions").status_code == 200
    unknown = {"Authorization": f"Bearer addit_{'0' * 12}_{'0' * 32}"}
    assert httpx.get(f"{stack.gateway.url}/v1/insertions", headers=unknown).status_code == 503


def _states(stack: Stack) -> dict[str, str]:
    answer = httpx.get(f"{stack.gateway.url}/readyz", timeout=30).json()
    found: dict[str, str] = answer.get("cells") or answer["data"]["cells"]
    return found


def test_a_gateway_refuses_cells_that_do_not_fit(stack: Stack) -> None:
    wrong = stack.settings.model_copy(update={"moved_tenants": {"acme": "three"}})
    with pytest.raises(ValueError, match="three"):
        build_cells(wrong)
    place = stack.cells["one"].place
    with pytest.raises(ValueError, match="Not A Name"):
        build_cells(stack.settings.model_copy(update={"cells": {"Not A Name": place}}))
