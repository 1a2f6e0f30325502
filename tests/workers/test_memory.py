from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from runtime.settings import Settings
from workers.addit.memory_tiers import DeviceTier, DiskTier, HostTier
from workers.memory import memory_tiers


def test_tiers_are_those_that_hold_something(tmp_path: Path) -> None:
    some = Settings(source_memory_gib=0.5, source_memory_host_gib=2)
    assert [(type(tier), tier.max_bytes) for tier in memory_tiers(some)] == [
        (DeviceTier, 2**29),
        (HostTier, 2**31),
    ]
    on_disk = Settings(source_memory_disk_gib=1, source_memory_folder=str(tmp_path))
    assert type(memory_tiers(on_disk)[-1]) is DiskTier


def test_what_killed_engines_left_on_disk_goes_and_nothing_else(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for name in (str(ended.pid), str(os.getppid()), "yours"):
        (tmp_path / name).mkdir()
    memory_tiers(Settings(source_memory_disk_gib=1, source_memory_folder=str(tmp_path)))
    assert {path.name for path in tmp_path.iterdir()} == {str(os.getpid()), str(os.getppid()), "yours"}
