"""What Prometheus is told: requests as they end, and jobs and queues as they are at the moment it asks."""

from __future__ import annotations

from collections import Counter as Counted
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from job_store.errors import StoreUnavailable
from job_store.jobs import JobStore
from job_store.workers import WorkerRegistry


class Metrics:
    """One registry per app. Labels are route templates, never ids."""

    def __init__(self, store: JobStore, workers: WorkerRegistry) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "addit_http_requests", "Requests answered.", ["method", "route", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "addit_http_request_seconds",
            "Time to answer, streams and long polls included.",
            ["method", "route"],
            registry=self.registry,
        )
        self.registry.register(JobMetrics(store, workers))

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)

    def render(self) -> bytes:
        """The exposition text."""
        return generate_latest(self.registry)


class JobMetrics:
    """Read from the store at every scrape; silent while it does not answer, but for `addit_store_up`."""

    def __init__(self, store: JobStore, workers: WorkerRegistry) -> None:
        self._store, self._workers = store, workers

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering must not ask the store."""
        return []

    def collect(self) -> Iterable[Metric]:
        """Jobs by status ever; ready jobs and workers by model now."""
        jobs = CounterMetricFamily("addit_jobs", "Jobs accepted and ended, by status.", labels=["status"])
        workers = GaugeMetricFamily("addit_workers", "Live workers.", labels=["model", "state"])
        ready = GaugeMetricFamily("addit_queue_ready", "Jobs waiting for a worker.", labels=["model"])
        up = 1
        try:
            for status, count in self._store.counts().items():
                jobs.add_metric([status], count)
            states = Counted((worker.model, worker.state) for worker in self._workers.all())
            for labels, count in states.items():
                workers.add_metric(labels, count)
            for model in {*self._store.models_with_ready(), *(model for model, _ in states)}:
                ready.add_metric([model], self._store.ready_count(model))
        except StoreUnavailable:
            up = 0
        return [
            GaugeMetricFamily("addit_store_up", "Whether the store answers.", value=up),
            jobs,
            ready,
            workers,
        ]
