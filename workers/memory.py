"""How much an engine remembers of sources, and where, as the settings say."""

from __future__ import annotations

from job_store.memory_use import MemoryUse, TierUse
from runtime.settings import Settings
from workers.addit.memory_tiers import DeviceTier, DiskTier, HostTier, Tier
from workers.addit.source_memory import SourceMemories
from workers.memory_folders import claim_folder, remove_abandoned

GIB = 2**30


def memory_tiers(settings: Settings) -> list[Tier]:
    """Fastest first: on the device, in host memory, on disk; those that hold nothing are left out."""
    tiers: list[Tier] = [DeviceTier(round(settings.source_memory_gib * GIB))]
    if settings.source_memory_host_gib:
        tiers.append(HostTier(round(settings.source_memory_host_gib * GIB)))
    if settings.source_memory_disk_gib:
        remove_abandoned(settings)
        tiers.append(DiskTier(round(settings.source_memory_disk_gib * GIB), claim_folder(settings)))
    return tiers


def use_of(memories: SourceMemories) -> MemoryUse:
    """What is remembered, in numbers."""
    tiers = tuple(TierUse(tier.name, tier.used, tier.max_bytes, tier.evictions) for tier in memories.tiers)
    return MemoryUse(memories.hits, memories.misses, memories.count, tiers)
