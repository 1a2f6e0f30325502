"""What the operator's moderator is told of a job, and what its word means to the client."""

from __future__ import annotations

from job_store.records import NewJob
from runtime.moderation import Asked, ContentRefused, ModerationError
from service.errors import Refusal


def asked_of(job: NewJob) -> Asked:
    """The texts of a job that is about to be accepted."""
    request = job.request
    return Asked(job.id, job.tenant, job.model, request.prompt, request.subject, request.source.prompt)


def refused(error: ModerationError) -> Refusal:
    """The answer to a submission that may not pass."""
    if isinstance(error, ContentRefused):
        return Refusal("prompt_refused", f"The request is refused: {error}.")
    return Refusal(
        "moderation_unavailable", "Nobody can judge prompts now; try again.", headers={"Retry-After": "5"}
    )
