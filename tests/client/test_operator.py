"""`addit up` as it is typed: it serves, says how to use it, and leaves nothing behind."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from runtime.settings import environment
from tests.client.conftest import SCRIPTED


@contextmanager
def addit_up(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process and what it says once it serves."""
    words = [str(Path(sys.executable).with_name("addit")), "up", "--folder", str(folder), "--port", "0"]
    process = subprocess.Popen(words, env=environment(SCRIPTED), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        said = ""
        for line in process.stdout:
            said += line
            if line.startswith("curl"):
                break
        yield process, said
    finally:
        process.terminate()
        process.communicate(timeout=30)


def shown(word: str, said: str) -> str:
    found = re.search(rf"^{word}\s+(\S+)", said, re.MULTILINE)
    assert found is not None, said
    return found[1]


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
def test_the_line_it_prints_inserts_into_an_example_and_sigterm_stops_it(tmp_path: Path) -> None:
    with addit_up(tmp_path) as (process, said):
        (line,) = [line for line in said.splitlines() if line.startswith("curl")]
        answer = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True)
        job = json.loads(answer.stdout)
        assert job["status"] == "succeeded", job
        assert job["result"]["images"][0]["url"].startswith(shown("API", said))
        assert "Addit studio" in httpx.get(shown("Studio", said)).text
        assert (tmp_path / "key").read_text() == shown("Key", said)
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=30)
        assert rest.splitlines()[-1] == "Stopped."
        assert process.returncode == 0
