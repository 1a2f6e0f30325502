"""Operators at their routes, and nobody else."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from redis import Redis

from job_store.artifacts import ArtifactStore
from job_store.errors import WorkerDrained
from job_store.jobs import JobStore
from job_store.workers import WorkerRegistry
from runtime.valkey import EmbeddedValkey
from tests.service.conftest import BODY, CARD, make_settings, serving
from tests.service.pictures import encoded, gradient


@pytest.fixture(scope="module")
def operated(valkey: EmbeddedValkey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    folder = tmp_path_factory.mktemp("operated")
    key = SecretStr("old-one a-new-one")
    with serving(make_settings(valkey, folder, admin_key=key)) as url:
        yield url, folder


@pytest.fixture
def operator(operated: tuple[str, Path], redis: Redis, worker: WorkerRegistry) -> Iterator[httpx.Client]:
    headers = {"Authorization": "Bearer a-new-one"}
    with httpx.Client(base_url=operated[0], headers=headers, timeout=20) as client:
        yield client


@pytest.fixture
def tenant(operated: tuple[str, Path], client: httpx.Client) -> httpx.Client:
    client.base_url = httpx.URL(operated[0])
    return client


def get(client: httpx.Client, path: str) -> Any:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def post(client: httpx.Client, path: str, status: int = 200) -> Any:
    answer = client.post(path)
    assert answer.status_code == status, answer.text
    return answer.json()


def crash(store: JobStore) -> str:
    while True:
        claim = store.claim(CARD.name, "one", 30_000)
        assert claim
        if store.release(claim.record.id, claim.token, crashed=True, max_crashes=2) == "failed":
            return claim.record.id


def test_only_operators_come_in(
    operated: tuple[str, Path], address: str, client: httpx.Client, operator: httpx.Client
) -> None:
    mine = client.headers["Authorization"]
    for said in ("", "Bearer", "Bearer x", "Bearer old-one a-new-one", mine):
        refused = operator.get("/admin/queues", headers={"Authorization": said})
        assert (refused.status_code, refused.json()["code"]) == (401, "unauthorized")
    assert operator.get("/admin/queues", headers={"Authorization": "Bearer old-one"}).status_code == 200
    assert operator.get("/v1/insertions").status_code == 401
    for said in ("Bearer", "Bearer a-new-one"):  # where no key is set there is none to guess
        assert httpx.get(f"{address}/admin/queues", headers={"Authorization": said}).status_code == 401


def test_limits_are_put_and_hold(operator: httpx.Client, tenant: httpx.Client) -> None:
    assert get(operator, "/admin/tenants")["data"] == []
    put = operator.put("/admin/tenants/acme", json={"max_queued": 1, "weight": 2.5}).json()
    assert put == get(operator, "/admin/tenants/acme")
    assert (put["own"], put["limits"]["max_queued"], put["limits"]["weight"]) == (
        ["max_queued", "weight"],
        1,
        2.5,
    )
    assert [tenant.post("/v1/insertions", json=BODY).status_code for _ in range(2)] == [202, 429]
    assert get(operator, "/admin/tenants")["data"][0]["queued"] == 1
    operator.put("/admin/tenants/acme", json={})
    assert tenant.post("/v1/insertions", json=BODY).status_code == 202


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("acme", {"weight": 0}),
        ("acme", {"max_queued": -1}),
        ("acme", {"other": 1}),
        ("Acme", {}),
        ("a b", {}),
    ],
)
def test_limits_that_are_none_are_refused(operator: httpx.Client, path: str, body: dict[str, Any]) -> None:
    assert operator.put(f"/admin/tenants/{path}", json=body).status_code == 422


def test_a_queue_is_paused_and_resumed(operator: httpx.Client, tenant: httpx.Client, store: JobStore) -> None:
    tenant.post("/v1/insertions", json=BODY)
    assert post(operator, f"/admin/queues/{CARD.name}/pause")["paused"]
    assert store.claim(CARD.name, "one", 30_000) is None
    queue = get(operator, "/admin/queues")["data"][0]
    assert (queue["model"], queue["queued"], queue["claimable"], queue["workers"]) == (CARD.name, 1, 0, 1)
    assert not post(operator, f"/admin/queues/{CARD.name}/resume")["paused"]
    assert store.claim(CARD.name, "one", 30_000)
    post(operator, "/admin/queues/none/pause", 404)


def test_a_worker_is_drained(operator: httpx.Client, tenant: httpx.Client, store: JobStore) -> None:
    tenant.post("/v1/insertions", json=BODY)
    assert post(operator, "/admin/workers/one/drain")["drained"]
    with pytest.raises(WorkerDrained):
        store.claim(CARD.name, "one", 30_000)
    assert [worker["drained"] for worker in get(operator, "/admin/workers")["data"]] == [True]
    assert get(operator, "/admin/queues")["data"][0]["workers"] == 0
    assert not post(operator, "/admin/workers/one/undrain")["drained"]
    post(operator, "/admin/workers/none/drain", 404)


def test_a_job_is_moved_to_the_front(operator: httpx.Client, tenant: httpx.Client, store: JobStore) -> None:
    ids = [tenant.post("/v1/insertions", json=BODY).json()["id"] for _ in range(3)]
    moved = post(operator, f"/admin/jobs/{ids[2]}/move-to-front")
    assert (moved["tenant"], moved["status"]) == ("acme", "queued")
    assert get(tenant, f"/v1/insertions/{ids[2]}")["queue"]["position"] == 0
    claim = store.claim(CARD.name, "one", 30_000)
    assert claim
    assert claim.record.id == ids[2]
    post(operator, f"/admin/jobs/{ids[2]}/move-to-front", 409)
    post(operator, "/admin/jobs/ins_none/move-to-front", 404)


def test_a_dead_job_is_replayed_once(
    operator: httpx.Client, tenant: httpx.Client, store: JobStore, operated: tuple[str, Path]
) -> None:
    data = base64.b64encode(encoded(gradient())).decode()
    source = {"kind": "image", "image": {"data": data}, "prompt": "a photo of a room"}
    asked = tenant.post("/v1/insertions", json={**BODY, "source": source, "metadata": {"order": 1}}).json()
    post(operator, f"/admin/dead-letters/{asked['id']}/replay", 409)
    assert crash(store) == asked["id"]
    dead = get(operator, "/admin/dead-letters")["data"]
    assert [(job["id"], job["crashes"], job["tenant"]) for job in dead] == [(asked["id"], 2, "acme")]
    again = post(operator, f"/admin/dead-letters/{asked['id']}/replay", 202)
    assert again["parent_id"] == asked["id"]
    assert post(operator, f"/admin/dead-letters/{asked['id']}/replay", 202)["id"] == again["id"]
    assert get(operator, "/admin/dead-letters")["data"] == []
    record, before = store.get(again["id"]), store.get(asked["id"])
    assert (record.request, record.tenant, record.source_id) == (
        before.request, before.tenant, before.source_id,
    )  # fmt: skip
    artifacts = ArtifactStore(f"file://{operated[1]}")
    assert record.source_key
    assert before.source_key
    assert artifacts.get(record.source_key) == artifacts.get(before.source_key)
    post(operator, "/admin/dead-letters/ins_none/replay", 404)


def test_acts_are_listed_with_who_did_them(operator: httpx.Client) -> None:
    operator.put("/admin/tenants/acme", json={"weight": 2})
    operator.put("/admin/tenants/acme", json={"weight": 3})
    operator.headers["Authorization"] = "Bearer old-one"
    post(operator, f"/admin/queues/{CARD.name}/pause")
    acts = get(operator, "/admin/acts")["data"]
    assert [act["what"] for act in acts] == ["pause", "put_limits", "put_limits"]
    assert [(act["before"], act["after"]) for act in acts] == [
        ({"paused": False}, {"paused": True}),
        ({"weight": 2}, {"weight": 3}),
        ({}, {"weight": 2}),
    ]
    keys = [f"key {sha256(key).hexdigest()[:8]}" for key in (b"old-one", b"a-new-one", b"a-new-one")]
    assert [act["by"] for act in acts] == keys
