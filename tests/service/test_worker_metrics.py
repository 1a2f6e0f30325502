"""What workers say of their memory, as Prometheus reads it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from job_store.footprint import DeviceMemory
from job_store.memory_use import MemoryUse, TierUse
from job_store.workers import WorkerState
from service.worker_metrics import worker_metrics

NOW = datetime(2030, 1, 2, tzinfo=UTC)


def worker(name: str, memory: MemoryUse, **fields: Any) -> WorkerState:
    return WorkerState(name, "small", "ready", 1, 2, NOW, NOW, memory, **fields)


def test_every_worker_tells_of_every_tier() -> None:
    one = MemoryUse(5, 2, 3, (TierUse("device", 10, 100, 0), TierUse("disk", 20, 1000, 4)))
    two = MemoryUse(0, 1, 1, (TierUse("device", 7, 100, 0),))
    loaded = worker("one", one, device=DeviceMemory(70, 100), resident_bytes=50)
    told = {
        (sample.name.removeprefix("addit_"), *sample.labels.values()): sample.value
        for family in worker_metrics([loaded, worker("two", two)])
        for sample in family.samples
    }
    assert told == {
        ("workers", "small", "ready"): 2,
        ("accelerator_memory_used_bytes", "small", "one"): 70,
        ("accelerator_memory_total_bytes", "small", "one"): 100,
        ("engine_resident_bytes", "small", "one"): 50,
        ("source_memory_hits_total", "small", "one"): 5,
        ("source_memory_misses_total", "small", "one"): 2,
        ("source_memory_sources", "small", "one"): 3,
        ("source_memory_hits_total", "small", "two"): 0,
        ("source_memory_misses_total", "small", "two"): 1,
        ("source_memory_sources", "small", "two"): 1,
        ("source_memory_bytes", "small", "one", "device"): 10,
        ("source_memory_bytes", "small", "one", "disk"): 20,
        ("source_memory_bytes", "small", "two", "device"): 7,
        ("source_memory_capacity_bytes", "small", "one", "device"): 100,
        ("source_memory_capacity_bytes", "small", "one", "disk"): 1000,
        ("source_memory_capacity_bytes", "small", "two", "device"): 100,
        ("source_memory_evictions_total", "small", "one", "device"): 0,
        ("source_memory_evictions_total", "small", "one", "disk"): 4,
        ("source_memory_evictions_total", "small", "two", "device"): 0,
    }
