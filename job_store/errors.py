"""What can go wrong with the store.

StoreError
├── NotFound                absent, or another tenant's
├── WrongState              the job is not in a state that allows this
├── StaleToken              the attempt is no longer the job's current one
├── IdempotencyKeyReused    the same key came with another body
├── QueueFull               the model's line is as long as it may be
├── QuotaExceeded           the tenant has as many jobs waiting as it may
├── RateLimited             the tenant submits, or tests a webhook, more than it may in a minute
├── HeldElsewhere           other workers remember the sources of the jobs that wait and should have them
├── NoneFits                the job in turn cannot be in an engine beside those that are
├── WorkerDrained           the worker shall take no more jobs
├── BadCursor               not a cursor that `list` gave
├── TooManyKeys             the tenant has as many API keys as it may
├── TooManyEndpoints        the tenant has as many webhook endpoints as it may
├── SceneFull               the scene has as many steps as it may
├── EndpointDisabled        nothing is sent to this webhook endpoint
└── StoreUnavailable        Redis cannot be reached, is loading, or is out of memory

The artifact store's errors stand in `artifacts.py`.
"""

from __future__ import annotations


class StoreError(Exception):
    """Any of them."""


class NotFound(StoreError):
    """There is no such thing, or it is another tenant's: the two cannot be told apart."""


class WrongState(StoreError):
    """The job's present `status` does not allow this."""

    def __init__(self, status: str) -> None:
        super().__init__(f"the job is {status}")
        self.status = status


class StaleToken(StoreError):
    """The attempt this token was given for is over: its lease ran out, or the job has ended or is gone."""


class IdempotencyKeyReused(StoreError):
    """The key was used before with another body, for the job or endpoint `job_id`."""

    def __init__(self, job_id: str) -> None:
        super().__init__(f"the idempotency key belongs to {job_id}, which was made from another body")
        self.job_id = job_id


class QueueFull(StoreError):
    """As many jobs are ready for this model as may be."""


class QuotaExceeded(StoreError):
    """As many jobs of the tenant wait, over all models, as may."""


class RateLimited(StoreError):
    """The tenant would be let in again after `wait_ms`."""

    def __init__(self, wait_ms: str) -> None:
        super().__init__(f"again in {wait_ms} ms")
        self.wait_ms = int(wait_ms)


class HeldElsewhere(StoreError):
    """What waits is left, for moments, to workers that remember its sources. idle: one of them waits too."""

    def __init__(self, by: str) -> None:
        super().__init__(f"left to a worker that is {by}")
        self.idle = by == "idle"


class NoneFits(StoreError):
    """The job in turn is not such a `Company` as was asked for: it stays where it is."""


class WorkerDrained(StoreError):
    """An operator wants this worker to take no more jobs."""


class BadCursor(StoreError):
    """The cursor is not one that a list gave."""


class TooManyKeys(StoreError):
    """The tenant already has as many live API keys as it may."""


class TooManyEndpoints(StoreError):
    """The tenant already has as many webhook endpoints as it may."""


class SceneFull(StoreError):
    """The scene already has as many steps as it may."""


class EndpointDisabled(StoreError):
    """The webhook endpoint is disabled, so nothing can be replayed to it."""


class StoreUnavailable(StoreError):
    """Redis does not serve us now. Whether the call took effect is unknown; it may be repeated."""
