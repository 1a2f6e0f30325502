"""A gateway in front of a fleet, and a tenant's client of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from job_store.api_keys import ApiKeys
from runtime.valkey import free_port
from tests.service.conftest import serving
from tests.workers.fleet import TENANT, Fleet

BODY: dict[str, Any] = {
    "source": {"kind": "generated", "prompt": "a room"},
    "prompt": "a room with a dog",
    "subject": "dog",
}


@contextmanager
def gateway_of(fleet: Fleet, redis_url: str) -> Iterator[httpx.Client]:
    """Its store is at `redis_url`: a proxy's, if the line is to fail."""
    settings = fleet.settings.model_copy(update={"redis_url": redis_url, "port": free_port()})
    keys = ApiKeys(fleet.redis)
    headers = {"Authorization": f"Bearer {keys.create(TENANT, 'test')}"}
    with serving(settings) as url, httpx.Client(base_url=url, headers=headers, timeout=30) as client:
        yield client
    for key in keys.list(TENANT):
        keys.revoke(key.id)
