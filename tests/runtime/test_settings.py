"""Settings come from the environment, and go to child processes through it."""

from __future__ import annotations

import subprocess
import sys

import pytest
from pydantic import SecretStr

from runtime.settings import Settings, environment

PRINT_SETTINGS = """
from runtime.settings import Settings
import sys
settings = Settings()
sys.stdout.write(repr({**dict(settings), "signing_secret": settings.signing_secret.get_secret_value()}))
"""


def test_a_variable_sets_its_field(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADDIT_PORT", "9000")
    monkeypatch.setenv("ADDIT_WEBHOOK_SCHEDULE", "[0, 1.5]")
    settings = Settings()
    assert (settings.port, settings.webhook_schedule) == (9000, (0, 1.5))


def test_a_child_has_exactly_our_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(
        port=1234, signing_secret=SecretStr("s3cret"), webhook_schedule=(1, 2.5), log_prompts=True
    )
    monkeypatch.setenv("ADDIT_MODEL", "another")  # of ours, not of the child's
    child = subprocess.run(
        [sys.executable, "-c", PRINT_SETTINGS],
        env=environment(settings),
        capture_output=True,
        text=True,
        check=True,
    )
    assert environment(settings)["GOMP_SPINCOUNT"] == "30000"
    assert child.stdout == repr({**dict(settings), "signing_secret": "s3cret"})
