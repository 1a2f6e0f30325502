"""What a tenant used."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from api_schemas.base import ResponseModel


class UsageOfDay(ResponseModel):
    """What the jobs that ended on a day came to."""

    day: date = Field(description="In UTC.")
    succeeded: int = Field(description="Jobs.")
    failed: int = Field(description="Jobs.")
    canceled: int = Field(description="Jobs.")
    expired: int = Field(description="Jobs.")
    gpu_seconds: float = Field(description="Of the jobs that succeeded.")
    stored_bytes: int = Field(description="Of the pictures that they stored that day.")


class UsageReport(ResponseModel):
    """A tenant's days, oldest first; those on which no job ended are left out."""

    object: Literal["list"] = Field(default="list", description="What this is.")
    since: date = Field(description="The first day that was looked at.")
    until: date = Field(description="The last one.")
    data: list[UsageOfDay] = Field(description="The days.")
