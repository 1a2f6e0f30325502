from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.settings import Settings
from workers.memory_folders import engine_folder, remove_abandoned, remove_folder


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(source_memory_folder=str(tmp_path))


def test_what_killed_engines_left_goes_and_nothing_else(settings: Settings, tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for name in (str(ended.pid), str(os.getpid()), str(os.getppid()), "yours"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "0.pt").touch()
    remove_abandoned(settings)
    assert {path.name for path in tmp_path.iterdir()} == {str(os.getpid()), str(os.getppid()), "yours"}


def test_an_engines_folder_goes_with_all_in_it_and_again_is_no_error(
    settings: Settings, tmp_path: Path
) -> None:
    for pid in (17, 18):
        engine_folder(settings, pid).mkdir()
        (engine_folder(settings, pid) / "0.pt").touch()
    remove_folder(settings, 17)
    remove_folder(settings, 17)
    assert [path.name for path in tmp_path.iterdir()] == ["18"]
