"""Fixtures that this folder's tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from job_store.audit import lasting_violations
from runtime.valkey import embedded_valkey
from tests.faults.proxy import Proxy, proxied
from tests.figures import Figure
from tests.workers.fleet import Fleet
from tests.workers.fleet import fleet as fleet


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """A line, to a store of its own, that can fail."""
    with embedded_valkey(tmp_path_factory.mktemp("valkey")) as valkey, proxied(valkey.port) as proxy:
        yield proxy


@pytest.fixture(autouse=True)
def audited(request: pytest.FixtureRequest, figure: Figure) -> Iterator[None]:
    """After every test with a fleet: whatever was done to it, each accepted job ends once (fault 1)."""
    fleet: Fleet | None = request.getfixturevalue("fleet") if "fleet" in request.fixturenames else None
    yield
    if fleet is not None:
        found = lasting_violations(fleet.redis, fleet.artifacts)
        print("\n".join(found))  # noqa: T201
        figure(1, "violations found by the audit", len(found))
