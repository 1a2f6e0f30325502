"""The audit of dependencies fails for findings, and says when it could not ask."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.http_server import Handler, serving
from runtime.valkey import free_port

FLAW = {
    "id": "OSV-1", "summary": "bad",
    "affected": [{"package": {"name": "wrong", "ecosystem": "PyPI"}, "ranges": [
        {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.0"}]}]}],
}  # fmt: skip


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    """A database in which one package has a flaw."""

    class Database(Handler):
        def do_POST(self) -> None:
            asked = json.loads(self.body())
            flaws = {"vulns": [FLAW]} if asked["package"]["name"] == "wrong" else {}
            self.answer(200, json.dumps(flaws).encode())

    with serving(Database) as address:
        yield f"{address}/v1/query"


def audit(folder: Path, versions: str, service: str) -> subprocess.CompletedProcess[str]:
    file = folder / "versions.txt"
    file.write_text(versions)
    command = [sys.executable, "-m", "tests.dependency_audit", str(file), "--service", service]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_finding_fails(tmp_path: Path, service: str) -> None:
    ran = audit(tmp_path, "right==1.0\nwrong==1.0\n", service)
    assert (ran.returncode, ran.stdout) == (1, "wrong 1.0: OSV-1, mended in 2.0\n"), ran.stderr


def test_nothing_known_passes(tmp_path: Path, service: str) -> None:
    ran = audit(tmp_path, "right==1.0\n", service)
    assert (ran.returncode, ran.stdout) == (0, "nothing is known against the versions of versions.txt\n")


def test_a_service_that_is_not_there_is_named_and_does_not_stop(tmp_path: Path) -> None:
    ran = audit(tmp_path, "right==1.0\n", f"http://127.0.0.1:{free_port()}/")
    assert ran.returncode == 0
    assert ran.stdout.startswith("NOT AUDITED: could not reach http://127.0.0.1:")


def test_what_cannot_be_audited_for_another_reason_fails(tmp_path: Path, service: str) -> None:
    ran = audit(tmp_path, "right>=1.0\n", service)
    assert ran.returncode != 0
