"""What a worker remembers of sources, in numbers: part of what it says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class TierUse:
    """A place for remembered keys and values.

    tier: device, host or disk; held, most: bytes in it and that it may hold
    evictions: steps of sources that had to make room for others, ever
    """

    tier: str
    held: int
    most: int
    evictions: int


@dataclass(frozen=True)
class MemoryUse:
    """hits, misses: insertions that found their source remembered, or did not, ever; sources: known now."""

    hits: int = 0
    misses: int = 0
    sources: int = 0
    tiers: tuple[TierUse, ...] = ()

    def after(self, earlier: MemoryUse) -> MemoryUse:
        """Of an engine that takes a gone one's place: what was counted ever goes on."""
        tiers = {tier.tier: replace(tier, held=0) for tier in earlier.tiers}
        for tier in self.tiers:
            before = tiers.get(tier.tier)
            tiers[tier.tier] = replace(tier, evictions=tier.evictions + (before.evictions if before else 0))
        counted = {"hits": self.hits + earlier.hits, "misses": self.misses + earlier.misses}
        return replace(self, **counted, tiers=tuple(tiers.values()))


def memory_use(fields: Mapping[str, Any]) -> MemoryUse:
    """From what `dataclasses.asdict` made of one."""
    return MemoryUse(**{**fields, "tiers": tuple(TierUse(**tier) for tier in fields["tiers"])})
