"""What can go wrong for a caller.

ClientError
  ├─ Unreachable     no answer, or none that is ours
  ├─ ApiError        the service said no; `.problem` is its own words, `.code` is for programs
  ├─ NotSucceeded    the job ended another way; `.job` tells
  └─ InvalidWebhook  what was received is not a webhook of the service, or too old
"""

from __future__ import annotations

from api_schemas.errors import Problem
from api_schemas.jobs import InsertionJob


class ClientError(Exception):
    """Anything this client raises on purpose."""


class Unreachable(ClientError):
    """The service did not answer, or something else answered in its place."""


class ApiError(ClientError):
    """An error answer. `retry_after`: seconds the service asks to wait, if it does."""

    def __init__(self, problem: Problem, retry_after: float | None = None) -> None:
        super().__init__(f"{problem.status} {problem.code}: {problem.detail}")
        self.problem, self.code, self.retry_after = problem, problem.code, retry_after


class NotSucceeded(ClientError):
    """The job failed, was canceled or expired."""

    def __init__(self, job: InsertionJob) -> None:
        why = f": {job.error.code}, {job.error.message}" if job.error else ""
        super().__init__(f"{job.id} {job.status}{why}")
        self.job = job


class InvalidWebhook(ClientError):
    """A request that claims to be a webhook and is not to be believed."""
