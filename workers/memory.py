"""How much an engine remembers of sources, and where, as the settings say."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from runtime.settings import Settings
from workers.addit.memory_tiers import DeviceTier, DiskTier, HostTier, Tier

GIB = 2**30


def memory_tiers(settings: Settings) -> list[Tier]:
    """Fastest first: on the device, in host memory, on disk; those that hold nothing are left out."""
    tiers: list[Tier] = [DeviceTier(round(settings.source_memory_gib * GIB))]
    if settings.source_memory_host_gib:
        tiers.append(HostTier(round(settings.source_memory_host_gib * GIB)))
    if settings.source_memory_disk_gib:
        folder = Path(settings.source_memory_folder)
        remove_abandoned(folder)
        tiers.append(DiskTier(round(settings.source_memory_disk_gib * GIB), folder / str(os.getpid())))
    return tiers


def remove_abandoned(folder: Path) -> None:
    """Delete what engines that are gone left there: a folder each, named after its process."""
    for left in folder.glob("*"):
        if left.name.isdigit() and not Path("/proc", left.name).exists():
            shutil.rmtree(left, ignore_errors=True)
