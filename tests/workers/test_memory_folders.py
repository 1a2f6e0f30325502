from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from runtime.settings import Settings
from workers.memory_folders import claim_folder, remove_abandoned

CLAIM = """
import sys
from runtime.settings import Settings
from workers.memory_folders import claim_folder
folder = claim_folder(Settings(source_memory_folder=sys.argv[1]))
folder.mkdir()
(folder / "0.pt").touch()
print(folder, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(source_memory_folder=str(tmp_path / "memory"))


def other_engine(settings: Settings) -> tuple[subprocess.Popen[str], Path]:
    """A process that has claimed a folder and put something into it."""
    process = subprocess.Popen(
        [sys.executable, "-c", CLAIM, settings.source_memory_folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    return process, Path(process.stdout.readline().strip())


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def test_what_a_killed_engine_left_goes_and_nothing_else(settings: Settings) -> None:
    (killed, left), (living, used) = other_engine(settings), other_engine(settings)
    own = claim_folder(settings)
    own.mkdir()
    yours = Path(settings.source_memory_folder, "yours")
    yours.mkdir()
    end(killed)
    for _ in range(2):
        remove_abandoned(settings)
        assert [path.exists() for path in (left, used / "0.pt", own, yours)] == [False, True, True, True]
    end(living)
    remove_abandoned(settings)
    left_over = {path.name for path in yours.parent.iterdir()}
    assert left_over == {"yours", own.name, f"{own.name}.lock"}


def test_folders_are_their_owners_alone(settings: Settings) -> None:
    one, two = claim_folder(settings), claim_folder(settings)
    assert one != two
    assert one.parent.stat().st_mode & 0o077 == 0


def test_without_a_folder_there_is_nothing_to_remove(settings: Settings) -> None:
    remove_abandoned(settings)
    assert not Path(settings.source_memory_folder).exists()
