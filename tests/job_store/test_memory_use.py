from __future__ import annotations

import json
from dataclasses import asdict

from job_store.memory_use import MemoryUse, TierUse, memory_use

GONE = MemoryUse(3, 4, 2, (TierUse("device", 50, 100, 7), TierUse("disk", 10, 1000, 0)))


def test_a_use_reads_as_it_was_written() -> None:
    assert memory_use(json.loads(json.dumps(asdict(GONE)))) == GONE


def test_counts_go_on_over_engines_and_a_gone_engine_holds_nothing() -> None:
    fresh = MemoryUse(1, 1, 1, (TierUse("device", 20, 100, 2), TierUse("disk", 5, 1000, 1)))
    tiers = TierUse("device", 20, 100, 9), TierUse("disk", 5, 1000, 1)
    assert fresh.after(GONE) == MemoryUse(4, 5, 1, tiers)


def test_an_engine_that_still_loads_has_the_counts_of_the_one_before() -> None:
    tiers = TierUse("device", 0, 100, 7), TierUse("disk", 0, 1000, 0)
    assert MemoryUse().after(GONE) == MemoryUse(3, 4, 0, tiers)
    assert GONE.after(MemoryUse()) == GONE
