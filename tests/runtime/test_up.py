"""The local stack: ready when it says so, gone when it ends, the same again on the same folder."""

from __future__ import annotations

import socket
from pathlib import Path

import httpx
import psutil
import pytest

from runtime.settings import Settings
from runtime.up import StackFailed, local_stack

SCRIPTED = Settings(port=0, runner="tests.workers.scripted_runner:load", model="scripted", grace_seconds=5)


def test_two_workers_serve_and_nothing_is_left_behind(tmp_path: Path) -> None:
    others = set(psutil.Process().children(recursive=True))
    with local_stack(tmp_path, SCRIPTED, workers=2) as stack:
        stack.wait_until_ready()
        assert httpx.get(f"{stack.url}/livez").status_code == 200
        assert [part.name for part in stack.parts] == ["gateway", "background", "worker-1", "worker-2"]
        family = set(psutil.Process().children(recursive=True)) - others
    gone, alive = psutil.wait_procs(family, timeout=5)
    assert alive == []
    assert len(gone) >= 7  # Valkey, gateway, background, two supervisors with an engine each
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", stack.settings.port)) != 0


def test_a_process_that_ends_is_named_with_its_last_words(tmp_path: Path) -> None:
    broken = SCRIPTED.model_copy(
        update={"runner": "tests.workers.scripted_runner:load_broken", "max_engine_exits": 1}
    )
    with local_stack(tmp_path, broken) as stack, pytest.raises(StackFailed, match="worker-1 ended with 1"):
        stack.wait_until_ready()


def test_a_stack_that_is_not_ready_in_time_is_given_up(tmp_path: Path) -> None:
    hasty = SCRIPTED.model_copy(update={"load_seconds": 0.1})
    with local_stack(tmp_path, hasty) as stack, pytest.raises(StackFailed, match="not ready after"):
        stack.wait_until_ready()


def test_secrets_are_made_once_for_a_folder_and_are_nobody_elses(tmp_path: Path) -> None:
    found = []
    for _ in range(2):
        with local_stack(tmp_path, SCRIPTED) as stack:
            found.append((stack.settings.signing_secret, stack.settings.webhook_secret))
    assert found[0] == found[1]
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600
