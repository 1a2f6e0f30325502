"""Metrics of workers, from what each live one last said of itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from job_store.workers import WorkerState

WORKER = ["model", "worker"]
TIER = [*WORKER, "tier"]


def worker_metrics(states: Sequence[WorkerState]) -> list[Metric]:
    """How many there are, the memory that each takes, and what it remembers of sources."""
    workers = GaugeMetricFamily("addit_workers", "Live workers.", labels=["model", "state"])
    for labels, count in Counter((state.model, state.state) for state in states).items():
        workers.add_metric(labels, count)
    return [workers, *_footprints(states), *_sources(states), *_tiers(states)]


def _footprints(states: Sequence[WorkerState]) -> list[Metric]:
    used = GaugeMetricFamily(
        "addit_accelerator_memory_used_bytes", "Of a worker's accelerator, by whomever.", labels=WORKER
    )
    total = GaugeMetricFamily("addit_accelerator_memory_total_bytes", "That it has.", labels=WORKER)
    resident = GaugeMetricFamily(
        "addit_engine_resident_bytes", "Of a machine's memory in an engine's process.", labels=WORKER
    )
    for state in states:
        labels = [state.model, state.name]
        if state.device is not None:
            used.add_metric(labels, state.device.used)
            total.add_metric(labels, state.device.total)
        if state.resident_bytes is not None:
            resident.add_metric(labels, state.resident_bytes)
    return [used, total, resident]


def _sources(states: Sequence[WorkerState]) -> list[Metric]:
    hits = CounterMetricFamily(
        "addit_source_memory_hits", "Insertions that found their source remembered.", labels=WORKER
    )
    misses = CounterMetricFamily(
        "addit_source_memory_misses", "Insertions that had to learn their source.", labels=WORKER
    )
    known = GaugeMetricFamily("addit_source_memory_sources", "Sources remembered.", labels=WORKER)
    for state in states:
        labels = [state.model, state.name]
        hits.add_metric(labels, state.memory.hits)
        misses.add_metric(labels, state.memory.misses)
        known.add_metric(labels, state.memory.sources)
    return [hits, misses, known]


def _tiers(states: Sequence[WorkerState]) -> list[Metric]:
    held = GaugeMetricFamily("addit_source_memory_bytes", "Held of sources' keys and values.", labels=TIER)
    most = GaugeMetricFamily("addit_source_memory_capacity_bytes", "That may be held.", labels=TIER)
    evictions = CounterMetricFamily(
        "addit_source_memory_evictions", "Steps of sources that made room for others.", labels=TIER
    )
    for state in states:
        for tier in state.memory.tiers:
            labels = [state.model, state.name, tier.tier]
            held.add_metric(labels, tier.held)
            most.add_metric(labels, tier.most)
            evictions.add_metric(labels, tier.evictions)
    return [held, most, evictions]
