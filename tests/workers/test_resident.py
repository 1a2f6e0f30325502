from __future__ import annotations

import os
import subprocess
import sys

import psutil

from workers.resident import resident_bytes


def test_it_is_what_the_kernel_counts() -> None:
    held = bytes(50 * 2**20)
    told, counted = resident_bytes(os.getpid()), psutil.Process().memory_info().rss
    assert told is not None
    assert abs(told - counted) < 10 * 2**20
    assert told > len(held)


def test_of_a_process_that_is_gone_nothing_is_told() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert resident_bytes(process.pid) is None
