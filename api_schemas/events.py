"""What a job's stream says while it runs."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from api_schemas.base import ResponseModel, Timestamp

EventType = Literal["queued", "started", "stage", "progress", "preview", "output", "completed"]


class JobEvent(ResponseModel):
    """One event. `id` orders a job's events and resumes a stream after it."""

    id: str = Field(description="Orders a job's events; for `Last-Event-ID`.")
    type: EventType = Field(description="What happened; `completed` is the last.")
    at: Timestamp = Field(description="When.")
    data: dict[str, Any] = Field(default={}, description="Values belonging to the type.")
