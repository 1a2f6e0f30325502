"""What a job's stream says while it runs."""

from __future__ import annotations

from typing import Any, Literal

from api_schemas.base import ResponseModel, Timestamp

EventType = Literal["queued", "started", "stage", "progress", "preview", "output", "completed"]


class JobEvent(ResponseModel):
    """One event. `id` orders a job's events and resumes a stream after it."""

    id: str
    type: EventType
    at: Timestamp
    data: dict[str, Any] = {}
