"""The artifacts' disk is full, really: a file system of one megabyte, at each number of free pages."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from job_store.connection import connect
from runtime.valkey import EmbeddedValkey
from tests.figures import Figure
from tests.workers.fleet import Fleet, fleet_of, short, until

PAGE = os.sysconf("SC_PAGE_SIZE")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """With a disk of one megabyte mounted at artifacts/."""
    folder = tmp_path_factory.mktemp("fleet")
    disk = folder / "artifacts"
    disk.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root may mount a disk of a certain size")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], check=True)
    yield folder
    subprocess.run(["umount", disk], check=True)


@pytest.fixture(scope="module")
def fleet(valkey: EmbeddedValkey, folder: Path) -> Iterator[Fleet]:
    with connect(valkey.url) as redis:
        redis.flushall()
        with fleet_of(redis, short(valkey.url, folder, max_crashes=1000), folder) as fleet:
            fleet.background()
            yield fleet


def leave_free(disk: Path, pages: int) -> None:
    """Fill it with one file but for so many pages."""
    ballast = disk / "ballast"
    ballast.unlink(missing_ok=True)
    free = os.statvfs(disk).f_bavail
    ballast.write_bytes(bytes((free - pages) * PAGE))


@pytest.mark.fault(26)
def test_a_full_disk_costs_tries_and_never_half_a_picture(fleet: Fleet, folder: Path, figure: Figure) -> None:
    fleet.workers(1)
    disk = folder / "artifacts"
    for pages in range(4):
        leave_free(disk, pages)
        failures = fleet.logs().count("StorageFull")
        job_id = fleet.submit("a dog", seeds=[1, 2])
        until(lambda failures=failures: fleet.logs().count("StorageFull") > failures, 60)  # type: ignore[misc]
        assert fleet.jobs.get(job_id).error is None
        (disk / "ballast").unlink()
        room_at = time.monotonic()
        assert fleet.until_ended(job_id, 60).status == "succeeded"
        figure(26, "done once there is room", time.monotonic() - room_at)
        figure(26, "parts of pictures left", len([*disk.rglob(".*.part")]) + len(fleet.violations()))
