"""The receivers of docs/webhooks.md believe what the service and the page's curl lines sign, nothing else."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from job_store.webhook_secrets import derived_secret
from runtime.settings import Settings, environment
from runtime.valkey import free_port
from tests.workers.fleet import until
from workers.webhook_requests import signed

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "webhooks.md").read_text()
SECRET, OTHER = derived_secret("master", "we_1", ""), derived_secret("master", "we_1", "2")
BODY = {
    "type": "webhook_endpoint.test",
    "timestamp": "2026-01-31T12:00:00.000Z",
    "data": {"endpoint_id": "é"},
}
Receive = Callable[..., int]


def block(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
    return str(found)


def secret_environment() -> dict[str, str]:
    return environment(Settings()) | {"WEBHOOK_SECRET": SECRET, "PYTHONPATH": str(ROOT)}


def answers(url: str) -> bool:
    try:
        return httpx.post(url, content=b"{}").status_code == 400
    except httpx.TransportError:
        return False


@pytest.fixture(
    params=[
        "python",
        pytest.param("js", marks=pytest.mark.skipif(not shutil.which("node"), reason="needs Node.js")),
    ]
)
def port(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[int]:
    """Of a running receiver of the page."""
    port = free_port()
    file = tmp_path / {"python": "receiver.py", "js": "receiver.mjs"}[request.param]
    file.write_text(block(request.param).replace("8000", str(port)))
    program = sys.executable if request.param == "python" else "node"
    with subprocess.Popen([program, file], env=secret_environment(), stdout=subprocess.PIPE) as process:
        until(lambda: answers(f"http://127.0.0.1:{port}/"), 20)
        yield port
        process.kill()
        assert process.stdout
        assert process.stdout.read().count(b"webhook_endpoint.test") == 1


@pytest.mark.fault(35)
def test_a_receiver_believes_the_service_once_and_nobody_else(port: int) -> None:
    def post(*secrets: str, body: bytes, signed_body: bytes | None = None) -> int:
        headers = signed("msg_1", signed_body or body, secrets, datetime.now(UTC))
        return httpx.post(f"http://127.0.0.1:{port}/hook", content=body, headers=headers).status_code

    body = json.dumps(BODY, ensure_ascii=False).encode()
    assert post(OTHER, SECRET, body=body) == 204
    assert post(SECRET, body=body) == 204
    assert post(OTHER, body=body) == 400
    assert post(SECRET, body=body + b" ", signed_body=body) == 400


@pytest.mark.fault(35)
def test_what_the_curl_lines_sign_is_believed(port: int) -> None:
    script = block("bash").replace("8000", str(port))
    said = subprocess.run(
        ["bash", "-ec", script], env=secret_environment(), capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "204"
