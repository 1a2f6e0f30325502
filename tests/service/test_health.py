"""Alive, ready, measured; and quick to say so when the store is gone."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from job_store.workers import WorkerRegistry
from runtime.valkey import embedded_valkey
from tests.service.conftest import BODY, make_settings, put_worker, serving


def readiness(client: httpx.Client) -> tuple[int, str]:
    answer = client.get("/readyz")
    body = answer.json()
    return answer.status_code, body.get("code") or body["status"]


def test_readiness_is_a_workers_proof(client: httpx.Client, worker: WorkerRegistry) -> None:
    old = datetime.now(UTC) - timedelta(minutes=5)
    assert readiness(client) == (200, "ready")
    for change in ({"last_ok": old}, {"last_ok": None}, {"state": "loading"}, {"state": "down"}):
        put_worker(worker, **change)
        assert readiness(client) == (503, "no_worker")
    put_worker(worker, state="busy", last_ok=old)
    assert readiness(client) == (200, "ready")
    worker.remove("one")
    assert readiness(client) == (503, "no_worker")
    assert client.get("/livez").json()["status"] == "ok"


def test_metrics_count_requests_jobs_and_queues(
    client: httpx.Client, worker: WorkerRegistry, finish: Callable[[], str]
) -> None:
    for _ in range(3):
        job_id = client.post("/v1/insertions", json=BODY).json()["id"]
    finish()
    client.get(f"/v1/insertions/{job_id}")
    text = client.get("/metrics").text
    assert 'addit_queue_ready{model="small"} 2.0' in text
    assert 'addit_workers{model="small",state="ready"} 1.0' in text
    assert 'addit_jobs_total{status="succeeded"} 1.0' in text
    assert 'addit_http_requests_total{method="GET",route="/v1/insertions/{job_id}",status="200"}' in text
    assert 'addit_http_request_seconds_count{method="POST",route="/v1/insertions"}' in text
    assert job_id not in text


@pytest.mark.fault(8)
def test_without_a_store_every_answer_is_a_quick_503(tmp_path: Path) -> None:
    with embedded_valkey(tmp_path / "valkey") as valkey, serving(make_settings(valkey, tmp_path)) as url:
        valkey.kill()
        headers = {"Authorization": "Bearer addit_" + "0" * 12 + "_" + "0" * 32}
        with httpx.Client(base_url=url, headers=headers, timeout=10) as client:
            for method, path in (("POST", "/v1/insertions"), ("GET", "/v1/insertions/x"), ("GET", "/readyz")):
                began = time.monotonic()
                answer = client.request(method, path, json=BODY if method == "POST" else None)
                assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")
                assert answer.headers["Retry-After"]
                assert time.monotonic() - began < 2
            assert client.get("/livez").status_code == 200
            assert "addit_store_up 0.0" in client.get("/metrics").text
            valkey.restart()
            assert client.get("/readyz").json()["code"] == "no_worker"


def test_the_gateway_never_loads_a_model() -> None:
    code = "import sys, service.server; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "diffusers", "transformers", "workers"} & {*done.stdout.split()}
