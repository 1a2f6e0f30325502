"""Usage over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.service.conftest import BODY

pytestmark = pytest.mark.usefixtures("worker")


def test_a_tenant_sees_what_it_used(
    client: httpx.Client, client_of: Callable[[str], httpx.Client], finish: Callable[[], str]
) -> None:
    client.post("/v1/insertions", json=BODY)
    finish()
    report = client.get("/v1/usage").json()
    [day] = report["data"]
    assert (day["succeeded"], day["failed"], day["gpu_seconds"], day["stored_bytes"]) == (1, 0, 1.0, 0)
    assert client_of("other").get("/v1/usage").json()["data"] == []


@pytest.mark.parametrize(
    ("since", "until", "status"),
    [(0, 0, 200), (365, 0, 200), (366, 0, 422), (0, 1, 422), (None, 100_000, 422)],
)
def test_as_many_days_as_may_be(client: httpx.Client, since: int | None, until: int, status: int) -> None:
    today = datetime.now(UTC).date()
    asked = {"until": str(today - timedelta(until) if until < 10_000 else "0001-01-01")}
    asked |= {"since": str(today - timedelta(since))} if since is not None else {}
    answer = client.get("/v1/usage", params=asked)
    assert answer.status_code == status, answer.text
