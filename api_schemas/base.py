"""Two bases: what comes in is strict, what goes out may grow."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, PlainSerializer


class RequestModel(BaseModel):
    """What a client sends: an unknown field is an error, never silently dropped."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ResponseModel(BaseModel):
    """What the service answers: a client of an older version ignores fields it does not know."""

    model_config = ConfigDict(extra="ignore", frozen=True)


def is_none(value: object) -> bool:
    """For fields that are left out of an answer where they say nothing: `exclude_if`."""
    return value is None


def _utc(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _rfc3339(value: datetime) -> str:
    return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")


Timestamp = Annotated[datetime, AfterValidator(_utc), PlainSerializer(_rfc3339, when_used="json")]
"""A moment, RFC 3339 in UTC with milliseconds."""


def new_id(prefix: str) -> str:
    """A fresh unguessable id such as `ins_4f0c…`: 96 random bits behind the resource's prefix."""
    return f"{prefix}_{secrets.token_hex(12)}"
