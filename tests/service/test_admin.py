"""Operators at their routes, and nobody else."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from redis import Redis

from job_store.artifacts import ArtifactStore
from job_store.errors import WorkerDrained
from job_store.footprint import DeviceMemory
from job_store.jobs import JobStore
from job_store.memory_use import MemoryUse, TierUse
from job_store.workers import WorkerRegistry
from runtime.valkey import EmbeddedValkey
from service.server import build_server
from tests.service.conftest import BODY, CARD, admin_address_of, make_settings, put_worker, serving
from tests.service.pictures import encoded, gradient


@dataclass(frozen=True)
class Operated:
    """Where tenants and operators are served, and where pictures lie."""

    url: str
    admin_url: str
    folder: Path


@pytest.fixture(scope="module")
def operated(valkey: EmbeddedValkey, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operated]:
    folder = tmp_path_factory.mktemp("operated")
    settings = make_settings(valkey, folder, admin_key=SecretStr("old-one a-new-one"))
    with serving(settings) as url:
        yield Operated(url, admin_address_of(settings), folder)


@pytest.fixture
def operator(operated: Operated, redis: Redis, worker: WorkerRegistry) -> Iterator[httpx.Client]:
    headers = {"Authorization": "Bearer a-new-one"}
    with httpx.Client(base_url=operated.admin_url, headers=headers, timeout=20) as client:
        yield client


@pytest.fixture
def tenant(operated: Operated, client: httpx.Client) -> httpx.Client:
    client.base_url = httpx.URL(operated.url)
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


def test_only_operators_come_in(client: httpx.Client, operator: httpx.Client) -> None:
    mine = client.headers["Authorization"]
    for said in ("", "Bearer", "Bearer x", "Bearer old-one a-new-one", mine):
        refused = operator.get("/admin/queues", headers={"Authorization": said})
        assert (refused.status_code, refused.json()["code"]) == (401, "unauthorized")
    assert operator.get("/admin/queues", headers={"Authorization": "Bearer old-one"}).status_code == 200


def test_each_port_serves_its_own_and_no_header_leads_to_the_other(
    operated: Operated, operator: httpx.Client, tenant: httpx.Client
) -> None:
    port = {"Host": httpx.URL(operated.admin_url).netloc.decode(), "X-Forwarded-Port": "8081"}
    for path in ("/admin/queues", "/admin", "//admin/queues", "/%61dmin/queues"):
        answer = httpx.get(f"{operated.url}{path}", headers={**operator.headers, **port})
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert get(tenant, "/v1/insertions")["data"] == []
    mine = dict(tenant.headers)
    for path in ("/v1/insertions", "/v1/models", "/v1/images/edits", "/v1/artifacts/t"):
        assert httpx.get(f"{operated.admin_url}{path}", headers=mine).status_code == 404
    for path in ("/livez", "/readyz", "/metrics"):
        assert [httpx.get(url + path).status_code for url in (operated.url, operated.admin_url)] == [200, 200]


@pytest.mark.parametrize("unserved", [{}, {"admin_key": SecretStr(" ")}, {"admin_port": 0}])
def test_without_a_key_or_a_port_nothing_listens_for_operators(
    valkey: EmbeddedValkey, tmp_path: Path, unserved: dict[str, Any]
) -> None:
    given = {"admin_key": SecretStr("a-new-one"), **unserved} if unserved else {}
    settings = make_settings(valkey, tmp_path, **given)
    assert build_server(settings).addresses == [(settings.host, settings.port)]


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


def test_all_that_a_tenant_has_is_purged(
    operator: httpx.Client, tenant: httpx.Client, finish: Callable[[], str]
) -> None:
    ended = tenant.post("/v1/insertions", json=BODY).json()["id"]
    finish()
    waiting = tenant.post("/v1/insertions", json=BODY).json()["id"]
    tenant.post("/v1/scenes", json={"source": {"kind": "generated", "prompt": "a room"}})
    picture = {"Content-Type": "image/png"}
    image = tenant.post("/v1/images", content=encoded(gradient()), headers=picture).json()["id"]
    gone = post(operator, "/admin/tenants/acme/purge")
    counts = {name: gone[name] for name in ("jobs", "stopping", "scenes", "batches", "images", "keys")}
    assert counts == {"jobs": 2, "stopping": 0, "scenes": 1, "batches": 0, "images": 1, "keys": 0}
    for path in (f"insertions/{ended}", f"insertions/{waiting}", f"images/{image}"):
        assert tenant.get(f"/v1/{path}").status_code == 404
    assert get(tenant, "/v1/scenes")["data"] == []
    assert post(operator, "/admin/tenants/acme/purge?keys=revoke")["keys"] == 1
    assert tenant.get("/v1/scenes").status_code == 401
    acts = get(operator, "/admin/acts")["data"]
    assert [(act["what"], act["to"], act["before"], act["after"]) for act in acts] == [
        ("purge_tenant", "acme", {"queued": 0, "running": 0}, {"keys_revoked": True}),
        ("purge_tenant", "acme", {"queued": 1, "running": 0}, {"keys_revoked": False}),
    ]
    post(operator, "/admin/tenants/acme/purge?keys=some", 422)
    post(operator, "/admin/tenants/A/purge", 422)


def test_a_queue_is_purged(operator: httpx.Client, tenant: httpx.Client, store: JobStore) -> None:
    ids = [tenant.post("/v1/insertions", json=BODY).json()["id"] for _ in range(3)]
    claim = store.claim(CARD.name, "one", 30_000)
    assert claim
    assert post(operator, f"/admin/queues/{CARD.name}/purge")["canceled"] == 2
    statuses = [get(tenant, f"/v1/insertions/{job_id}")["status"] for job_id in ids]
    assert sorted(statuses) == ["canceled", "canceled", "running"]
    (act,) = get(operator, "/admin/acts")["data"]
    assert (act["what"], act["to"], act["before"]) == ("purge_queue", CARD.name, {"queued": 2})
    post(operator, "/admin/queues/none/purge", 404)


def test_a_worker_tells_of_its_memory(operator: httpx.Client, worker: WorkerRegistry) -> None:
    memory = MemoryUse(5, 2, 1, (TierUse("device", 10, 100, 3),))
    put_worker(worker, memory=memory, device=DeviceMemory(70, 100), resident_bytes=50)
    [told] = get(operator, "/admin/workers")["data"]
    assert (told["memory_used_bytes"], told["memory_total_bytes"], told["resident_bytes"]) == (70, 100, 50)
    held = [{"tier": "device", "held_bytes": 10, "most_bytes": 100}]
    assert (told["sources"], told["source_memory"]) == (1, held)
    put_worker(worker)
    [bare] = get(operator, "/admin/workers")["data"]
    assert (bare["memory_used_bytes"], bare["memory_total_bytes"], bare["resident_bytes"]) == (None,) * 3
    assert (bare["sources"], bare["source_memory"]) == (0, [])


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
    operator: httpx.Client, tenant: httpx.Client, store: JobStore, operated: Operated
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
    artifacts = ArtifactStore(f"file://{operated.folder}")
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
