"""What a job's stream says while it runs."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from api_schemas.base import ResponseModel, Timestamp

EventType = Literal["queued", "started", "stage", "progress", "preview", "dropped", "output", "completed"]


class JobEvent(ResponseModel):
    """One event. `id` orders a job's events and resumes a stream after it."""

    id: str = Field(description="Orders a job's events; for `Last-Event-ID`.")
    type: EventType = Field(description="What happened; `completed` is the last.")
    at: Timestamp = Field(description="When.")
    data: dict[str, Any] = Field(
        default={},
        description="Values belonging to the type: of `stage` and `progress` those of a job's `progress`, of "
        "`preview` those of a `Preview`, of `dropped` the `seed` that is not wanted any more, of `completed` "
        "the `status`.",
    )


class Preview(ResponseModel):
    """A variation as it forms: small, and without the background's own pixels."""

    number: int = Field(description="Of this variation's previews, from 0.")
    index: int = Field(description="Of the variation, in the order of the seeds.")
    seed: int = Field(description="Its seed.")
    step: int = Field(description="The denoising step it was seen after, from 0.")
    url: str = Field(description="The picture, a signed link.")
