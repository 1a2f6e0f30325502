"""A whole stack that is watched: its traces go to a collector, its webhook to a receiver; jobs went by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from client.operator import running
from tests.client.conftest import SCRIPTED
from tests.runtime.collector import Collector, collector
from tests.workers.fleet import until
from tests.workers.receiver import Receiver, receiver

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
CANARY = "a xylophone called Wotan"
SECRET_QUERY = "waylands-token"
REQUEST: dict[str, Any] = {
    "source": {"kind": "generated", "prompt": CANARY},
    "prompt": f"{CANARY} and a cat",
    "subject": "cat",
    "seeds": [1],
}


@dataclass(frozen=True)
class Watched:
    """What is left of a stack that has stopped.

    job: as it was answered at its end; metrics: what Prometheus was told; received: the webhook's headers
    traces: what the collector took; secrets: by what they are
    """

    folder: Path
    job: dict[str, Any]
    metrics: str
    received: dict[str, str]
    traces: Collector
    secrets: dict[str, str]


@pytest.fixture(scope="session")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    folder = tmp_path_factory.mktemp("watched")
    with collector() as traces, receiver(204) as got:
        settings = SCRIPTED.model_copy(update={"otlp_endpoint": traces.url, "webhook_timeout_seconds": 10.0})
        with running(folder, settings, workers=1) as (stack, key):
            job = run_a_job(stack.url, key, got)
            until(lambda: got.requests, 30)
            metrics = httpx.get(f"{stack.url}/metrics").text
            own = stack.settings
        secrets = {
            "API key": key.split("_")[2],
            "signing secret": own.signing_secret.get_secret_value(),
            "webhook secret": own.webhook_secret.get_secret_value(),
            "operators' key": own.admin_key.get_secret_value(),
            "link's signature": job["result"]["images"][0]["url"].partition("signature=")[2],
            "webhook's query": SECRET_QUERY,
        }
        yield Watched(folder, job, metrics, got.requests[0][1], traces, secrets)


def run_a_job(url: str, key: str, got: Receiver) -> dict[str, Any]:
    """One success, one job that fails, one submission that is refused; the first."""
    webhook = {"url": f"{got.url}?token={SECRET_QUERY}", "events": ["insertion.succeeded"]}
    bearer = {"Authorization": f"Bearer {key}", "Prefer": "wait=60"}
    with httpx.Client(base_url=url, headers=bearer, timeout=90) as client:
        asked, traced = {**REQUEST, "webhook": webhook}, {"traceparent": CALLER}
        job: dict[str, Any] = client.post("/v1/insertions", json=asked, headers=traced).json()
        client.get(job["result"]["images"][0]["url"]).raise_for_status()
        client.post("/v1/insertions", json={**REQUEST, "prompt": "bug cat"})
        client.post("/v1/insertions", json={**REQUEST, "source": {"kind": CANARY}})
    return job
