from __future__ import annotations

from pathlib import Path

import torch

from job_store.memory_use import MemoryUse, TierUse
from runtime.settings import Settings
from workers.addit.memory_tiers import DeviceTier, DiskTier, HostTier
from workers.addit.source_memory import SourceKey, SourceMemories, StepMemory
from workers.memory import memory_tiers, use_of

KEY = SourceKey("tenant", "model", "digest", "a bed", 0, "noising", 1.0, 30, (16, 16))


def test_tiers_are_those_that_hold_something(tmp_path: Path) -> None:
    some = Settings(source_memory_gib=0.5, source_memory_host_gib=2)
    assert [(type(tier), tier.max_bytes) for tier in memory_tiers(some)] == [
        (DeviceTier, 2**29),
        (HostTier, 2**31),
    ]
    on_disk = Settings(source_memory_disk_gib=1, source_memory_folder=str(tmp_path))
    assert type(memory_tiers(on_disk)[-1]) is DiskTier


def test_its_use_is_that_of_every_tier(tmp_path: Path) -> None:
    memories = SourceMemories([DeviceTier(10), HostTier(100)], torch.device("cpu"))
    for _ in range(2):
        source = memories.open(KEY)
        source.path[0] = torch.zeros(1)
    source.keep(0, StepMemory(velocity=torch.zeros(5)))
    tiers = TierUse("device", 0, 10, 0), TierUse("host", 20, 100, 0)
    assert use_of(memories) == MemoryUse(hits=1, misses=1, sources=1, tiers=tiers)
