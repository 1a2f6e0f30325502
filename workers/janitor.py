"""Removes files that no record names: a crash between storing a picture and noting it leaves one behind.

Several may run. It looks through all artifacts there are, so it has a thread of its own and takes its time.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice

import structlog
from redis import Redis

from job_store.artifacts import ArtifactError, ArtifactMissing, ArtifactStore
from job_store.images import ImageStore
from job_store.jobs import JobStore
from runtime.settings import Settings
from workers.outage import OUTAGES
from workers.shutdown import Shutdown

ROUND_SECONDS = 3600.0
GRACE = timedelta(hours=1)  # what was written lately may be about to be noted; clocks may differ as well
BATCH = 200

log = structlog.get_logger()


class Janitor:
    """Call `clean` for ever, or `clean_once`."""

    def __init__(self, settings: Settings, redis: Redis) -> None:
        self._jobs, self._images = JobStore(redis), ImageStore(redis)
        self._artifacts = ArtifactStore(settings.artifact_url)

    def clean(self, shutdown: Shutdown) -> None:
        """A round an hour until asked to stop; one that fails is taken up by the next."""
        while not shutdown.asked:
            try:
                self.clean_once()
            except (*OUTAGES, ArtifactError) as outage:
                log.warning("files not looked through", error=str(outage))
            shutdown.wait(ROUND_SECONDS)

    def clean_once(self) -> None:
        """One round. Raises StoreUnavailable, ArtifactError."""
        before, owners = datetime.now(UTC) - GRACE, self._artifacts.owners()
        while batch := list(islice(owners, BATCH)):
            for orphan in self._orphans(batch):
                if self._is_older(orphan, before):
                    self._artifacts.delete(orphan)
                    log.info("orphaned files removed", prefix=orphan)
        self._artifacts.remove_parts(before)

    def _orphans(self, owners: list[str]) -> Iterator[str]:
        yield from self._jobs.absent([owner for owner in owners if owner.endswith("/")])
        yield from self._images.absent([owner for owner in owners if not owner.endswith("/")])

    def _is_older(self, orphan: str, moment: datetime) -> bool:
        try:
            return self._artifacts.changed_at(orphan) < moment
        except ArtifactMissing:
            return False
