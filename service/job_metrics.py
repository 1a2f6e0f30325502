"""Metrics of jobs and webhooks, as the store has counted them: all gateways show the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from job_store.jobs import JobStore
from job_store.outbox import Outbox
from job_store.statistics import BOUNDS, Histogram, Statistics

STEP = "denoise_step"
EDGES = (*(str(bound) for bound in BOUNDS), "+Inf")


def job_metrics(
    store: JobStore, statistics: Statistics, outbox: Outbox, models: Sequence[str]
) -> list[Metric]:
    """What ended and how, what was told, what waits for `models`. Raises StoreUnavailable."""
    ready = GaugeMetricFamily("addit_queue_ready", "Jobs waiting for a worker.", labels=["model"])
    for model in models:
        ready.add_metric([model], store.ready_count(model))
    canceled, failed = statistics.reasons("canceled"), statistics.reasons("failed")
    requeued = statistics.reasons("requeued")
    due = GaugeMetricFamily("addit_webhooks_due", "Webhooks to be sent, now or later.", value=outbox.size())
    return [
        _counter("addit_jobs", "Jobs accepted and ended, by status.", "status", store.counts()),
        _counter("addit_jobs_canceled", "Jobs canceled, by their status until then.", "was", canceled),
        _counter("addit_jobs_failed", "Jobs failed, by error code.", "code", failed),
        _counter("addit_jobs_requeued", "Attempts given back to the line, by why.", "why", requeued),
        _counter("addit_webhook_tries", "Webhooks tried.", "result", outbox.counts()),
        due,
        ready,
        *_durations(statistics.durations()),
    ]


def _counter(name: str, text: str, label: str, counts: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(name, text, labels=[label])
    for value, count in sorted(counts.items()):
        family.add_metric([value], count)
    return family


def _durations(histograms: Sequence[Histogram]) -> list[Metric]:
    stages = HistogramMetricFamily(
        "addit_stage_seconds", "Seconds of succeeded jobs, by stage.", labels=["model", "stage"]
    )
    steps = HistogramMetricFamily(
        "addit_denoise_step_seconds", "Mean seconds of a succeeded job's denoising steps.", labels=["model"]
    )
    for one in histograms:
        buckets = list(zip(EDGES, accumulate(one.counts), strict=True))
        if one.stage == STEP:
            steps.add_metric([one.model], buckets, one.total)
        else:
            stages.add_metric([one.model, one.stage], buckets, one.total)
    return [stages, steps]
