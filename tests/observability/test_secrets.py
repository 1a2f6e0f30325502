"""What must not be told is told nowhere: logs, the store, traces, metrics."""

from __future__ import annotations

import pytest

from tests.client.test_secrets import everything
from tests.figures import Figure
from tests.observability.conftest import CANARY, Watched


def found(watched: Watched, place: bytes, *allowed: str) -> list[str]:
    """What of the secrets stands there though it is not allowed."""
    return [
        name for name, secret in watched.secrets.items() if secret.encode() in place and name not in allowed
    ]


@pytest.mark.fault(54)
def test_no_secret_and_no_prompt_is_in_logs_traces_or_metrics(watched: Watched, figure: Figure) -> None:
    logs, traces = everything(watched.folder / "logs"), b"".join(watched.traces.raw)
    assert watched.job["id"].encode() in logs
    assert watched.job["id"].encode() in traces
    for place in (logs, traces, watched.metrics.encode()):
        assert CANARY.encode() not in place
        figure(54, "secrets told", len(found(watched, place)))
    figure(54, "secrets looked for", len(watched.secrets))


@pytest.mark.fault(54)
def test_no_secret_is_in_the_store_but_what_the_tenant_gave_with_the_job(
    watched: Watched, figure: Figure
) -> None:
    store = everything(watched.folder / "valkey")
    assert watched.job["id"].encode() in store
    figure(54, "secrets stored", len(found(watched, store, "webhook's query")))
