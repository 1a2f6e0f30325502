"""Tenants' API keys as operators see them: what each may do, when it was used, never its secret but once."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import Field

from api_schemas.base import RequestModel, ResponseModel, Timestamp

Scope = Literal["insertions:read", "insertions:write", "images", "webhooks", "usage"]
"""What a key may do. Scenes, batches and estimates are insertions; models are for whoever may read those."""
SCOPES: tuple[Scope, ...] = get_args(Scope)
DAY_SECONDS = 86_400


class KeyRequest(RequestModel):
    """A key to be made."""

    name: str = Field(
        default="", max_length=64, description="What it is for; of a name there are two at a time."
    )
    scopes: list[Scope] = Field(default=list(SCOPES), min_length=1, description="What it may do; all.")
    expires_in_seconds: int | None = Field(
        default=None, ge=1, le=3650 * DAY_SECONDS, description="How long it works; for good if left out."
    )


class KeyRotation(RequestModel):
    """How a key gives way to a new one."""

    overlap_seconds: int = Field(
        default=DAY_SECONDS, ge=0, le=30 * DAY_SECONDS, description="How long the old one works beside it."
    )
    expires_in_seconds: int | None = Field(
        default=None,
        ge=1,
        le=3650 * DAY_SECONDS,
        description="How long the new one works; for good if absent.",
    )


class KeyInfo(ResponseModel):
    """A live key without its secret."""

    object: Literal["api_key"] = Field(default="api_key", description="What this is.")
    id: str = Field(description="The part of the key between its underscores.")
    tenant: str = Field(description="Whose it is.")
    name: str = Field(description="What it is for.")
    scopes: list[Scope] = Field(description="What it may do.")
    created_at: Timestamp = Field(description="When it was made.")
    last_used_at: Timestamp | None = Field(description="When it last opened something, to the minute.")
    expires_at: Timestamp | None = Field(description="When it stops to work; null: not by itself.")


class NewKey(KeyInfo):
    """A key that was just made."""

    key: str = Field(description="The whole key, in this answer and in no later one.")


class KeyList(ResponseModel):
    """A tenant's live keys, oldest first."""

    object: Literal["list"] = Field(default="list", description="What this is.")
    data: list[KeyInfo] = Field(description="The keys.")
