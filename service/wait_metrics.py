"""How long the jobs that wait keep the workers there are: what a fleet is scaled by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from prometheus_client.core import GaugeMetricFamily

from job_store.jobs import JobStore
from job_store.operations import Operations
from job_store.outlook import Outlook
from job_store.workers import WorkerState


def wait_metrics(
    store: JobStore,
    outlook: Outlook,
    operations: Operations,
    states: Sequence[WorkerState],
    models: Sequence[str],
) -> GaugeMetricFamily:
    """None for a model of which no job has ended yet. Raises StoreUnavailable."""
    family = GaugeMetricFamily(
        "addit_estimated_wait_seconds",
        "Work of jobs that wait and might start, over workers, those that load included.",
        labels=["model"],
    )
    drained = operations.drained()
    for model in models:
        coming = sum(
            state.model == model and state.state != "down" and state.name not in drained for state in states
        )
        seconds = waiting_seconds(store, outlook, model)
        if seconds is not None:
            family.add_metric([model], seconds / max(1, coming))
    return family


def waiting_seconds(store: JobStore, outlook: Outlook, model: str) -> float | None:
    """What one worker would need for them, but for jobs of a paused line or above their tenants' caps."""
    number, sample = outlook.waiting(model)
    paces: Mapping[str, list[float]] = {shape: outlook.paces(model, shape) for _, shape in sample}
    if not number:
        return 0.0
    if not all(paces.values()):
        return None
    mean = fmean(work * fmean(paces[shape]) for work, shape in sample)
    return min(number, store.claimable_count(model)) * mean
