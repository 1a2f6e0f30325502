"""How long pictures are kept: the request's word within the tenant's limit."""

from __future__ import annotations

from datetime import datetime

import httpx
import pytest
from redis import Redis

from job_store.jobs import JobStore
from job_store.tenants import Limits, Tenants
from job_store.workers import WorkerRegistry
from tests.job_store.samples import TENANT
from tests.service.conftest import BODY
from tests.service.pictures import encoded, gradient


@pytest.fixture
def tenants(redis: Redis, worker: WorkerRegistry) -> Tenants:
    return Tenants(redis, Limits())


def seconds_kept(kept: dict[str, str]) -> float:
    span = datetime.fromisoformat(kept["expires_at"]) - datetime.fromisoformat(kept["created_at"])
    return span.total_seconds()


@pytest.mark.parametrize(("asked", "limit", "kept"), [(600, 120, 120), (60, 120, 60), (600, None, 600)])
def test_a_job_is_kept_as_asked_for_or_as_its_tenant_may(
    client: httpx.Client, store: JobStore, tenants: Tenants, asked: int, limit: int | None, kept: int
) -> None:
    if limit:
        tenants.put(TENANT, {"max_retain_seconds": limit})
    job = client.post("/v1/insertions", json={**BODY, "retain_seconds": asked}).json()
    assert job["request"]["retain_seconds"] == kept
    ended = store.cancel(job["id"], TENANT)
    assert ended.delete_at
    assert ended.completed_at
    assert (ended.delete_at - ended.completed_at).total_seconds() == kept


def test_uploads_and_scenes_are_kept_no_longer(client: httpx.Client, tenants: Tenants) -> None:
    tenants.put(TENANT, {"max_retain_seconds": 120})
    data = encoded(gradient())
    image = client.post("/v1/images", content=data, headers={"Content-Type": "image/png"}).json()
    scene = client.post("/v1/scenes", json={"source": BODY["source"], "retain_seconds": 86_400}).json()
    assert [round(seconds_kept(one)) for one in (image, scene)] == [120, 120]


def test_a_job_that_is_repeated_is_the_same_whatever_the_limit_is_now(
    client: httpx.Client, tenants: Tenants
) -> None:
    body, once = {**BODY, "retain_seconds": 600}, {"Idempotency-Key": "once"}
    first = client.post("/v1/insertions", json=body, headers=once).json()
    tenants.put(TENANT, {"max_retain_seconds": 60})
    again = client.post("/v1/insertions", json=body, headers=once).json()
    assert (again["id"], again["request"]["retain_seconds"]) == (first["id"], 600)
