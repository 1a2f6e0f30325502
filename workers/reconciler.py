"""Puts right what lost messages and dead workers left behind. Several may run: all steps may be repeated."""

from __future__ import annotations

import time

import structlog
from redis import Redis

from job_store import tickets
from job_store.artifacts import ArtifactError, ArtifactStore
from job_store.images import ImageStore
from job_store.jobs import JobStore
from runtime.settings import Settings
from workers.outage import OUTAGES, Backoff
from workers.shutdown import Shutdown

log = structlog.get_logger()


class Reconciler:
    """Call `reconcile` for ever, or `reconcile_once`."""

    def __init__(self, settings: Settings, redis: Redis) -> None:
        self._settings, self._redis = settings, redis
        self._jobs, self._images = JobStore(redis), ImageStore(redis)
        self._artifacts = ArtifactStore(settings.artifact_url)
        self._sweep_at = 0.0

    def reconcile(self, shutdown: Shutdown) -> None:
        """A pass every `reconcile_seconds` until asked to stop."""
        backoff = Backoff()
        while not shutdown.asked:
            try:
                self.reconcile_once()
                backoff.reset()
                shutdown.wait(self._settings.reconcile_seconds)
            except OUTAGES as outage:
                log.warning("no store", error=str(outage))
                # Nobody could renew a lease: everybody gets one more before records are taken away.
                self._sweep_at = time.monotonic() + self._settings.lease_seconds
                shutdown.wait(backoff.next())

    def reconcile_once(self) -> None:
        """Take back, end and delete records, and see to it that every ready record has its ticket."""
        if time.monotonic() >= self._sweep_at:
            self._sweep()
        for model in self._jobs.models_with_ready():
            missing = tickets.top_up(self._redis, self._jobs, model)
            if missing > 0:
                log.info("tickets added", model=model, count=missing)
        self._remove_images()

    def _sweep(self) -> None:
        swept = self._jobs.sweep(self._settings.max_crashes)
        for what, job_ids in (
            ("taken back", swept.requeued),
            ("ended", swept.ended),
            ("deleted", swept.deleted),
        ):
            for job_id in job_ids:
                log.info(f"job {what}", job_id=job_id)
        for prefix in swept.prefixes:
            if self._remove(prefix):
                self._jobs.purged(prefix)

    def _remove_images(self) -> None:
        for key in self._images.expired():
            if self._remove(key):
                self._images.purged(key)

    def _remove(self, prefix: str) -> bool:
        """Whether the artifacts are gone; those that are not are named again with the next pass."""
        try:
            self._artifacts.delete(prefix)
        except ArtifactError as error:
            log.warning("artifacts not removed", error=str(error))
            return False
        return True
