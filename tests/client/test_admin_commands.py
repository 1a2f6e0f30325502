"""`addit admin` against a running service."""

from __future__ import annotations

import pytest
from typer.testing import Result

from client.client import Addit
from client.errors import ApiError
from tests.client.conftest import Served
from tests.client.test_cli import addit


def operate(served: Served, *words: str | float, code: int = 0) -> Result:
    said = addit("admin", *words, ADDIT_ADMIN_URL=served.admin_url, ADDIT_ADMIN_KEY="operate")
    assert said.exit_code == code, said.output
    return said


def test_tenants_and_limits(served: Served) -> None:
    assert operate(served, "limit", "orders", "--weight", 2, "--max-running", 3).stdout.split()[:3] == [
        "orders",
        "2*",
        "3*",
    ]
    assert "orders" in operate(served, "tenants").stdout
    assert "2*" not in operate(served, "limit", "orders").stdout
    assert "invalid_request" in operate(served, "limit", "orders", "--weight", 0, code=1).output


def test_queues_and_workers(served: Served) -> None:
    table = operate(served, "queues").stdout
    assert "scripted" in table
    assert "cell" not in table
    assert "open" in table
    assert operate(served, "pause", "scripted").stdout.split() == ["scripted", "paused"]
    assert operate(served, "resume", "scripted").stdout.split() == ["scripted", "open"]
    with Addit(served.admin_url, "operate") as service:
        (worker,) = service.admin.workers()
    assert worker.name in operate(served, "workers").stdout
    assert "drained" in operate(served, "drain", worker.name).stdout
    assert "takes jobs" in operate(served, "undrain", worker.name).stdout
    assert "not_found" in operate(served, "drain", "worker_none", code=1).output
    acts = operate(served, "acts").stdout.splitlines()
    assert [act.split()[4] for act in acts[:4]] == ["undrain", "drain", "resume", "pause"]
    assert acts[0].endswith('{"drained": true} -> {"drained": false}')
    assert len(operate(served, "acts", "--limit", 2).stdout.splitlines()) == 2


def test_keys(served: Served) -> None:
    scopes = ("--scope", "usage", "--scope", "insertions:read")
    key = operate(served, "keys", "create", "orders", "--name", "shop", *scopes).stdout.strip()
    with Addit(served.url, key) as service:
        service.insertions()
        with pytest.raises(ApiError, match="forbidden_scope"):
            service.webhooks.list()
    key_id = key.split("_")[1]
    assert "insertions:read usage" in (listed := operate(served, "keys", "list", "orders").stdout)
    assert key_id in listed
    newer = operate(served, "keys", "rotate", key_id, "--overlap", 0).stdout.strip()
    with Addit(served.url, key) as service, pytest.raises(ApiError, match="unauthorized"):
        service.insertions()
    newer_id = newer.split("_")[1]
    assert "revoked" in operate(served, "keys", "revoke", newer_id).stdout
    assert newer_id not in operate(served, "keys", "list", "orders").stdout
    assert "no scope" in operate(served, "keys", "create", "orders", "--scope", "all", code=2).output
    assert "orders" in operate(served, "tenant", "orders").stdout
    acts = operate(served, "acts").stdout.splitlines()
    assert [act.split()[4] for act in acts[:3]] == ["revoke_key", "rotate_key", "create_key"]


def test_purges(served: Served) -> None:
    key = operate(served, "keys", "create", "leaving").stdout.strip()
    with Addit(served.url, key) as service:
        service.insertions()
        said = operate(served, "purge-tenant", "leaving", "--keys", "--yes").stdout
        assert said.strip() == "leaving jobs 0 stopping 0 scenes 0 batches 0 images 0 keys 1"
        with pytest.raises(ApiError, match="unauthorized"):
            service.insertions()
    assert operate(served, "purge-queue", "scripted", "--yes").stdout.split() == ["scripted", "canceled", "0"]
    for words in (("purge-tenant", "leaving"), ("purge-queue", "scripted")):
        assert "Aborted" in operate(served, *words, code=1).output


def test_jobs(served: Served) -> None:
    assert operate(served, "dead").stdout == ""
    for act in ("front", "replay"):
        assert "not_found" in operate(served, act, "ins_none", code=1).output


def test_another_key_opens_nothing(served: Served) -> None:
    with Addit(served.admin_url, served.key) as service, pytest.raises(ApiError, match="unauthorized"):
        service.admin.queues()
