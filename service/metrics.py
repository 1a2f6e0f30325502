"""What Prometheus is told: requests as they end, and the store and the workers as they are when it asks."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector

from job_store.errors import StoreUnavailable
from job_store.jobs import JobStore
from job_store.operations import Operations
from job_store.outbox import Outbox
from job_store.outlook import Outlook
from job_store.statistics import Statistics
from job_store.workers import WorkerRegistry
from service.job_metrics import job_metrics
from service.wait_metrics import wait_metrics
from service.worker_metrics import worker_metrics


class Metrics:
    """One registry per app. Labels are route templates, names of models and workers, never ids of jobs.

    shared: with other processes (service/processes.py), whose requests are told along with one's own
    """

    def __init__(self, of_the_store: StoreMetrics, *, shared: bool = False) -> None:
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
        if shared:
            self.registry = CollectorRegistry()
            MultiProcessCollector(self.registry)  # type: ignore[no-untyped-call]
        self.registry.register(of_the_store)

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)

    def render(self) -> bytes:
        """The exposition text."""
        return generate_latest(self.registry)


class StoreMetrics:
    """Read from the store at every scrape; silent while it does not answer, but for `addit_store_up`."""

    def __init__(
        self,
        store: JobStore,
        workers: WorkerRegistry,
        statistics: Statistics,
        outbox: Outbox,
        outlook: Outlook,
        operations: Operations,
    ) -> None:
        self._store, self._workers = store, workers
        self._statistics, self._outbox = statistics, outbox
        self._outlook, self._operations = outlook, operations

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering must not ask the store."""
        return []

    def collect(self) -> Iterable[Metric]:
        """Jobs and webhooks ever; ready jobs and workers now."""
        told: list[Metric] = []
        up = 1
        try:
            states = self._workers.all()
            models = {*self._store.models_with_ready(), *(state.model for state in states)}
            told += job_metrics(self._store, self._statistics, self._outbox, sorted(models))
            told += worker_metrics(states)
            told.append(wait_metrics(self._store, self._outlook, self._operations, states, sorted(models)))
        except StoreUnavailable:
            told, up = [], 0
        return [GaugeMetricFamily("addit_store_up", "Whether the store answers.", value=up), *told]
