"""A tenant moves: closed, copied, opened elsewhere, forgotten; keys, jobs, pictures and hooks go with it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from typer.testing import CliRunner

from client.cli import app
from job_store.keys import Key
from runtime.settings import environment
from tests.service.cells.conftest import BODY, Stack
from tests.service.pictures import encoded, gradient

pytestmark = pytest.mark.timeout(600)  # gateways start anew: a busy machine takes its time


def addit_cells(stack: Stack, *words: str) -> tuple[int, str]:
    """(exit code, what it printed) of `addit cells …` with the gateway's settings."""
    done = CliRunner().invoke(app, ["cells", *words], env=environment(stack.settings))
    return done.exit_code, done.output


def restart(stack: Stack, **moved: str) -> None:
    """All gateways, with these tenants elsewhere."""
    stack.gateway.settings = stack.settings.model_copy(update={"moved_tenants": moved})
    stack.gateway.restart()


def keys_of(stack: Stack, cell: str, tenant: str) -> list[str]:
    """Every key of a cell's store that names a tenant."""
    return [str(key) for key in stack.cells[cell].fleet.redis.scan_iter(f"*:{tenant}*")]


@pytest.fixture
def tenant(stack: Stack) -> Iterator[str]:
    """One of the first cell, and the rule's own places again at the end."""
    yield stack.tenant_of("one", 3)
    if stack.gateway.settings.moved_tenants:
        restart(stack)


def test_a_tenant_takes_everything_along(stack: Stack, tenant: str) -> None:
    with stack.client(tenant) as client, stack.client(stack.tenant_of("two")) as other:
        had = _everything(client)
        assert addit_cells(stack, "home", tenant) == (0, "one\n")
        assert addit_cells(stack, "move", tenant, "one", "two")[0] == 1, "its gateways still write"

        restart(stack, **{tenant: ""})
        closed = client.get("/v1/insertions")
        assert (closed.status_code, closed.json()["code"]) == (503, "store_unavailable")
        assert closed.headers["Retry-After"] == "30"
        assert other.get("/v1/insertions").status_code == 200
        for _ in range(2):  # it may be repeated
            code, told = addit_cells(stack, "move", tenant, "one", "two")
            assert code == 0, told
            assert "copied: 2 jobs" in told

        restart(stack, **{tenant: "two"})
        assert _seen(client) == had
        made = client.post("/v1/insertions", json=BODY, headers={"Prefer": "wait=60"}).json()
        assert made["status"] == "succeeded"
        assert stack.cells["two"].fleet.jobs.get(made["id"]).tenant == tenant

        code, told = addit_cells(stack, "forget", tenant, "two")
        assert code == 1, told
        code, told = addit_cells(stack, "forget", tenant, "one")
        assert code == 0, told
        assert keys_of(stack, "one", tenant) == []
        store = stack.cells["one"].fleet.redis
        assert store.zcard(Key.OUTBOX) == 0
        assert not store.sismember(Key.TENANTS, tenant)
        assert len(_seen(client)["jobs"]) == 3  # type: ignore[arg-type]
        assert client.delete(f"/v1/insertions/{had['jobs'][0]['id']}").status_code == 204  # type: ignore[index]


def test_a_tenant_with_work_under_way_is_not_moved(stack: Stack, tenant: str) -> None:
    with stack.client(tenant) as client, stack.operators() as operators:
        operators.post("/admin/queues/scripted/pause")
        job = client.post("/v1/insertions", json=BODY).json()
        restart(stack, **{tenant: ""})
        code, told = addit_cells(stack, "move", tenant, "one", "two")
        assert (code, told) == (1, "1 of its jobs wait and 0 run; wait for them, or cancel them\n")
        restart(stack)
        assert client.post(f"/v1/insertions/{job['id']}/cancel").status_code == 200
        operators.post("/admin/queues/scripted/resume")


def test_pins_keep_everybody_where_they_are(stack: Stack, tenant: str) -> None:
    with stack.client(tenant):
        code, told = addit_cells(stack, "pins", "three")
    assert code == 0
    assert set(httpx.Response(200, text=told).json().values()) <= {"one", "two"}


def _everything(client: httpx.Client) -> dict[str, object]:
    """Make one of each thing that a tenant can have; as `_seen` then sees it."""
    picture = client.post("/v1/images", files={"file": ("a.png", encoded(gradient()), "image/png")})
    assert picture.status_code == 201, picture.text
    hook = {"url": "http://127.0.0.1:9/hook", "events": ["insertion.succeeded"]}
    assert client.post("/v1/webhook-endpoints", json=hook).status_code == 201
    source = {"kind": "image", "image": {"id": picture.json()["id"]}, "prompt": "a room"}
    scene = client.post("/v1/scenes", json={"source": source})
    assert scene.status_code == 201, scene.text
    for path, body in (
        ("/v1/insertions", BODY),
        (f"/v1/scenes/{scene.json()['id']}/insertions", {"prompt": "a dog in a room", "subject": "dog"}),
    ):
        answer = client.post(path, json=body, headers={"Prefer": "wait=60", "Idempotency-Key": path})
        assert answer.json()["status"] == "succeeded", answer.text
    return _seen(client)


def _seen(client: httpx.Client) -> dict[str, object]:
    """All that the tenant sees, links aside, whose times pass; pictures by their bytes."""
    jobs = client.get("/v1/insertions").json()["data"]
    links = [image["url"] for job in jobs for image in job["result"]["images"]]
    scenes = client.get("/v1/scenes").json()["data"]
    return {
        "jobs": [{"id": job["id"], "completed_at": job["completed_at"]} for job in jobs],
        "pictures": [client.get(link).content for link in links],
        "scenes": [(scene["id"], len(scene["steps"])) for scene in scenes],
        "endpoints": [one["id"] for one in client.get("/v1/webhook-endpoints").json()["data"]],
        "usage": client.get("/v1/usage").json()["data"],
        "events": client.get(f"/v1/insertions/{jobs[0]['id']}/events").text,
    }
